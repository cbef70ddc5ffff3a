"""How long each phase of a request takes: the header `Server-Timing` of every answer (W3C, Server Timing).

`read` the body, `check` it against the schemas and the network, `compute`, `write` the answer; `total` is all
between the first line of ours and the last.
"""

from __future__ import annotations

from time import perf_counter

from flask import Flask, Response, g


class Phase:
    """Counts the time of a with-block for a phase of this request."""

    def __init__(self, name: str):
        self._name = name

    def __enter__(self) -> None:
        self._started = perf_counter()

    def __exit__(self, *exception: object) -> None:
        phases = g.phases
        phases[self._name] = phases.get(self._name, 0.0) + perf_counter() - self._started


def time_requests(app: Flask) -> None:
    """Put the header on every answer, problems among them: with the phases that were begun."""

    @app.before_request
    def start() -> None:
        g.started, g.phases = perf_counter(), {}

    @app.after_request
    def finish(response: Response) -> Response:
        phases = g.phases
        phases["total"] = perf_counter() - g.started
        response.headers["Server-Timing"] = ", ".join(
            f"{name};dur={1000 * seconds:.3f}" for name, seconds in phases.items()
        )
        return response
