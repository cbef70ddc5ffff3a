"""What is counted of requests and computations, for Prometheus; docs/operations.md says what each means.

No label is a caller's text: routes are templates, kinds those of installed layers, codes those of
problems.py. So there are only so many series, and nothing of a request is in them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TypeVar

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder

from deltawire_service.engine import Plan, Run
from deltawire_service.shared_counts import collected

T = TypeVar("T")

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
BYTES = tuple(4.0**exponent for exponent in range(4, 15))  # 256 B to 256 MiB
NOWHERE = "none"
"""The route of what has none."""


class Metrics:
    """The metrics of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        counter = partial(Counter, namespace="deltawire", registry=self._registry)
        histogram = partial(Histogram, namespace="deltawire", registry=self._registry)
        # Of all processes that live, together.
        gauge = partial(Gauge, namespace="deltawire", registry=self._registry, multiprocess_mode="livesum")
        self.in_flight = gauge("requests_in_flight", "Requests whose answer is not sent yet")
        self.waiting = gauge("queue_length", "Computations that wait for their turn")
        self.plans = histogram("plan_bytes", "Planned memory of a computation", buckets=BYTES)
        requests = counter("requests", "Requests answered", ["route", "status", "code"])
        rejections = counter("rejections", "Requests turned away though they may be right", ["code"])
        seconds = histogram(
            "request_seconds", "From a request's head to its answer's end", ["route"], buckets=SECONDS
        )
        received = histogram("request_bytes", "Bodies of requests, as announced", ["route"], buckets=BYTES)
        sent = histogram("answer_bytes", "Bodies of answers", ["route"], buckets=BYTES)
        spent = counter("compute_seconds", "Time in layers, a processor each", ["kind"])

        # Children are looked up once: the library takes as long to find one as to count.
        self._request = cache(lambda *labels: requests.labels(*labels))
        self._measures = cache(lambda route: [each.labels(route) for each in (seconds, received, sent)])
        self._rejection = cache(rejections.labels)
        self._kind = cache(spent.labels)

    def answered(self, route: str, status: int, code: str, began: float, received: int, sent: int) -> None:
        """A request has been answered, or its client has left."""
        self.in_flight.dec()
        self._request(route, status, code).inc()
        measures = (time.perf_counter() - began, received, sent)
        for child, measured in zip(self._measures(route), measures, strict=True):
            child.observe(measured)
        if status in (429, 503, 504):
            self._rejection(code).inc()

    def spent(self, seconds: Mapping[str, float]) -> None:
        """A computation has ended in which the layers of each kind took so long."""
        for kind, each in seconds.items():
            self._kind(kind).inc(each)

    def counted(self, run: Run) -> Run:
        """The same, and it is counted who waits for a turn, and what is planned."""

        def counting(compute: Callable[[float], T], plan: Plan | None = None) -> T:
            waits = True

            def begin(until: float) -> T:
                nonlocal waits
                waits = False
                self.waiting.dec()
                return compute(until)

            if plan:
                self.plans.observe(plan.peak_bytes)
            self.waiting.inc()
            try:
                return run(begin, plan)
            finally:
                if waits:
                    self.waiting.dec()

        return counting

    def text(self, accept: str) -> tuple[bytes, str]:
        """All metrics, and the media type in which they are written."""
        encode, media_type = choose_encoder(accept)
        written: bytes = encode(collected(self._registry))
        return written, media_type


def count_requests(app: Flask, metrics: Metrics) -> None:
    """Count every request when its answer has been sent: whoever waits for it does not wait for that."""

    @app.before_request
    def start() -> None:
        metrics.in_flight.inc()

    @app.after_request
    def finish(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else NOWHERE
        received = request.content_length or 0
        sent = response.calculate_content_length() or response.content_length or 0
        # The response is not held: it would hold itself, and its arrays would stay.
        response.call_on_close(
            partial(
                metrics.answered, route, response.status_code, g.get("code", ""), g.started, received, sent
            )
        )
        return response
