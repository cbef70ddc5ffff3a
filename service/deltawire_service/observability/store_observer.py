"""The store as the service observes it: in its metrics, and in the times of the request's phases."""

from __future__ import annotations

from time import perf_counter
from typing import Literal

from deltawire_service.http.request_context import current_request
from deltawire_service.observability.metrics import Metrics
from deltawire_service.store.observer import Kind, Part


class _PartTimer:
    """Counts the time of a with-block for a part of a change."""

    __slots__ = ("_metrics", "_part", "_began")

    def __init__(self, metrics: Metrics, part: Part):
        self._metrics = metrics
        self._part = part

    def __enter__(self) -> None:
        self._began = perf_counter()

    def __exit__(self, *exception: object) -> None:
        seconds = perf_counter() - self._began
        self._metrics.on_store_part(self._part, seconds)
        if context := current_request(None):  # models are recovered without one
            phases = context.phase_seconds
            phases[self._part] = phases.get(self._part, 0.0) + seconds


class StoreObserver:
    """Counts what the store does. metrics: of the application."""

    def __init__(self, metrics: Metrics):
        self._metrics = metrics

    def timing(self, part: Part) -> _PartTimer:
        """Count the seconds of a part of a change, also of one that fails, here and in the request."""
        return _PartTimer(self._metrics, part)

    def on_change(self, kind: Kind) -> None:
        """Count a change that is committed."""
        self._metrics.on_model_change(kind)

    def on_dataset(self, kind: Literal["created", "deleted"]) -> None:
        """Count a change of the datasets that is committed."""
        self._metrics.on_dataset_change(kind)

    def on_run_steps(self, count: int) -> None:
        """Count steps of a run that are committed together."""
        self._metrics.on_run_steps(count)

    def on_replayed_answer(self) -> None:
        """Note in the current request that it gets the answer that its key got before."""
        if context := current_request(None):
            context.replayed = True
