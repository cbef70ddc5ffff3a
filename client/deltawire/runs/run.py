"""A run: followed step by step, waited for, paused, resumed, cancelled."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from deltawire.errors import Fault, ServiceFailed
from deltawire.request_builder import Caller
from deltawire.runs.metrics import RunMetrics, read_metrics
from deltawire.runs.progress import Progress, open_progress

UNDER_WAY = frozenset({"queued", "running"})
"""The states of a run that goes on by itself."""

OPEN = UNDER_WAY | {"paused"}
"""The states of a run that has not ended."""

POLL_SECONDS = 0.25
"""Between two looks at a run."""


class Run:
    """A training in the background: a model, a dataset and a recipe.

    `for metrics in run:` yields `RunMetrics` from the first step on, as long as the run is under way.

    Attributes:
        client: Calls the service that trains.
        id: The id of the run.
    """

    def __init__(self, client: Caller, id: str):
        self.client = client
        self.id = id

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.id!r})"

    @property
    def path(self) -> str:
        """The path of the run at the service."""
        return f"/v1/runs/{quote(self.id, safe='')}"

    def describe(self) -> dict[str, Any]:
        """Return its description: `state`, `model`, `steps`, `total_steps`, `seconds_left`, `recipe`, …"""
        return self.client.connection.get(self.path, dict)

    @property
    def state(self) -> str:
        """Its state: "queued", "running", "paused", "finished", "failed" or "cancelled"."""
        return str(self.describe()["state"])

    def wait(self, *, progress: bool | Progress = False) -> dict[str, Any]:
        """Wait until the run has ended or is paused, and return its description.

        Args:
            progress: True shows a bar with the losses, where `rich` is installed. An object with the methods
                of `deltawire.runs.progress.Progress` shows the run in its own way.

        Raises:
            ServiceFailed: The run has failed.
        """
        description = self.describe()
        with open_progress(description, progress) as bar:
            for metrics in self._follow(bar):
                bar.add(metrics.loss, metrics.validation_loss)
        description = self.describe()
        if description["state"] == "failed":
            problem = description["problem"]
            raise ServiceFailed([Fault("", problem["code"], f"run {self.id} failed: {problem['detail']}")])
        return description

    def __iter__(self) -> Iterator[RunMetrics]:
        with open_progress({}, False) as bar:
            yield from self._follow(bar)

    def metrics(self, since: int = -1) -> list[RunMetrics]:
        """Return the steps and validations so far, in order.

        Args:
            since: The version that they follow.
        """
        found, _ = read_metrics(self.client.connection, self.path, since)
        return found

    def pause(self, *, key: str | None = None) -> dict[str, Any]:
        """Let the run stand still, and return its description; see `resume`."""
        return self._change("pause", key)

    def resume(self, *, key: str | None = None) -> dict[str, Any]:
        """Let a paused run go on, and return its description."""
        return self._change("resume", key)

    def cancel(self, *, key: str | None = None) -> dict[str, Any]:
        """End the run for good, and return its description: the model stays as it is."""
        return self._change("cancel", key)

    def _change(self, action: str, key: str | None) -> dict[str, Any]:
        return self.client.connection.change("POST", f"{self.path}/{action}", {}, dict, key=key)

    def _follow(self, bar: Progress) -> Iterator[RunMetrics]:
        """Yield metrics as they come, until the run does not go on by itself."""
        since = -1
        while True:
            description = self.describe()  # before the metrics, so that none is left behind at the end
            found, since = read_metrics(self.client.connection, self.path, since)
            yield from found
            bar.update(description)
            if description["state"] not in UNDER_WAY:
                return
            time.sleep(POLL_SECONDS)
