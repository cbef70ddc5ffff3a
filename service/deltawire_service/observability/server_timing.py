"""The time of each phase of a request, for the header `Server-Timing` of its answer (W3C, Server Timing).

`read` the body, `check` it against the schemas and the network, `compute`, `write` the answer; `total` is the
time from the first line of the service to its last. `workers` is the part of `compute` that it waited for
other machines; `reused` the part in which a forward pass was found that an earlier request had computed.
"""

from __future__ import annotations

from time import perf_counter

from deltawire_service.http.request_context import Headers, RequestContext


class Phase:
    """Counts the time of a with-block for a phase of a request."""

    __slots__ = ("_seconds", "_name", "_started")

    def __init__(self, context: RequestContext, name: str):
        self._seconds = context.phase_seconds
        self._name = name

    def __enter__(self) -> None:
        self._started = perf_counter()

    def __exit__(self, *exception: object) -> None:
        before = self._seconds.get(self._name, 0.0)
        self._seconds[self._name] = before + perf_counter() - self._started


def add_server_timing(context: RequestContext, headers: Headers) -> None:
    """Add the header to an answer, with the phases that have begun; answers to errors have it too."""
    phases = context.phase_seconds
    phases["total"] = perf_counter() - context.started
    entries = ", ".join([f"{name};dur={1000 * seconds:.3f}" for name, seconds in phases.items()])
    for name, note in context.phase_notes.items():
        entries = entries.replace(f"{name};", f'{name};desc="{note}";')
    headers.append(("Server-Timing", entries))
