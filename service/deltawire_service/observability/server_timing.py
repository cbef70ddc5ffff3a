"""How long each phase of a request takes: the header `Server-Timing` of every answer (W3C, Server Timing).

`read` the body, `check` it against the schemas and the network, `compute`, `write` the answer; `total` is all
between the first line of ours and the last.
"""

from __future__ import annotations

from time import perf_counter

from deltawire_service.http.request_context import Headers, RequestContext, current


class Phase:
    """Counts the time of a with-block for a phase of this request."""

    def __init__(self, name: str):
        self._name = name

    def __enter__(self) -> None:
        self._started = perf_counter()

    def __exit__(self, *exception: object) -> None:
        phases = current().phases
        phases[self._name] = phases.get(self._name, 0.0) + perf_counter() - self._started


def tell_times(context: RequestContext, headers: Headers) -> None:
    """The header of an answer, problems among them: with the phases that were begun."""
    phases = context.phases
    phases["total"] = perf_counter() - context.began
    told = ", ".join([f"{name};dur={1000 * seconds:.3f}" for name, seconds in phases.items()])
    headers.append(("Server-Timing", told))
