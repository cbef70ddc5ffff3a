"""What is counted of requests and computations, for Prometheus; docs/operations.md says what each means.

No label is a caller's text: routes are templates, kinds those of installed layers, codes those of
problems.py. So there are only so many series, and nothing of a request is in them.

A request is counted by a few additions in this process's own memory: in memory that processes share, as
prometheus-client counts, they would take a tenth of a small request.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import accumulate
from math import inf
from threading import Lock
from time import perf_counter
from typing import NamedTuple, TypeVar

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.utils import floatToGoString

from deltawire_service.engine import Plan, Runner
from deltawire_service.http.request_context import RequestContext
from deltawire_service.observability.multiprocess_metrics import Counts, Series, SharedCounts

T = TypeVar("T")

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
BYTES = tuple(4.0**exponent for exponent in range(4, 15))  # 256 B to 256 MiB
MOST_BYTES = 2**50
"""Of a body, as announced: who is refused for it may have announced any number."""

NOWHERE = "none"
"""The route of what has none."""


class Counted(NamedTuple):
    """A metric. bounds: of a histogram, whose numbers are how many lie up to each, how many above, their sum;
    without them it is a counter, a single number.
    """

    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()

    def zero(self) -> list[float]:
        # Floating-point numbers: sums of bytes grow for years.
        return [0.0] * (len(self.bounds) + 2 if self.bounds else 1)


COUNTED: Mapping[str, Counted] = {
    "requests": Counted("Requests answered", ("route", "status", "code")),
    "request_seconds": Counted("From a request's head to its answer's end", ("route",), SECONDS),
    "request_bytes": Counted("Bodies of requests, as announced", ("route",), BYTES),
    "answer_bytes": Counted("Bodies of answers", ("route",), BYTES),
    "rejections": Counted("Requests turned away though they may be right", ("code",)),
    "plan_bytes": Counted("Planned memory of a computation", (), BYTES),
    "compute_seconds": Counted("Time in layers, a processor each", ("kind",)),
}
NOW: Mapping[str, str] = {
    "requests_in_flight": "Requests whose answer is not sent yet",
    "queue_length": "Computations that wait for their turn",
}
"""How it is at the moment, of all processes that live, together."""


class Metrics:
    """The metrics of one application. waiting: how many of its computations wait for their turn."""

    def __init__(self, waiting: Callable[[], int]) -> None:
        self._waiting = waiting
        self._lock = Lock()
        self._shared: SharedCounts | None = None
        self._start()

    def _start(self) -> None:
        self._in_flight = 0
        self._counted: dict[str, Series] = {
            name: defaultdict(metric.zero) for name, metric in COUNTED.items()
        }
        self._counted["plan_bytes"][()]  # it has no labels to wait for
        self._numbers = cache(self._numbers_of)

    def share(self, folder: str) -> None:
        """Count from now on, together with the other processes of a folder (`shared_counts.make_folder`)."""
        self._start()
        self._shared = SharedCounts(folder, self._own)

    def leave(self) -> None:
        """This process ends: what it has counted stays with the others."""
        if self._shared:
            self._shared.write()

    def began(self, context: RequestContext) -> None:
        """A request has come."""
        with self._lock:
            self._in_flight += 1

    def ended(self, context: RequestContext) -> None:
        """A request has been answered, for which nobody waits any more, or its client has left."""
        taken, status, code = perf_counter() - context.began, context.status, context.code or ""
        with self._lock:
            self._in_flight -= 1
            requests, seconds, received, sent = self._numbers(context.route or NOWHERE, status, code)
            requests[0] += 1
            _observe(seconds, SECONDS, taken)
            _observe(received, BYTES, min(context.length or 0, MOST_BYTES))
            _observe(sent, BYTES, context.sent)
            if status in (429, 503, 504):
                self._counted["rejections"][(code,)][0] += 1

    def _numbers_of(self, route: str, status: int, code: str) -> tuple[list[float], ...]:
        """What is added to for a request, looked up once."""
        counted = self._counted
        by_route = (counted[name][(route,)] for name in ("request_seconds", "request_bytes", "answer_bytes"))
        return counted["requests"][route, str(status), code], *by_route

    def on_compute_seconds(self, seconds: Mapping[str, float]) -> None:
        """A computation has ended in which the layers of each kind took so long."""
        counted = self._counted["compute_seconds"]
        with self._lock:
            for kind, each in seconds.items():
                counted[(kind,)][0] += each

    def counted(self, run: Runner) -> Runner:
        """The same, and it is counted what is planned."""

        def counting(compute: Callable[[float], T], plan: Plan | None = None) -> T:
            if plan:
                with self._lock:
                    _observe(self._counted["plan_bytes"][()], BYTES, plan.peak_bytes)
            return run(compute, plan)

        return counting

    def text(self, accept: str) -> tuple[bytes, str]:
        """All metrics, and the media type in which they are written."""
        encode, media_type = choose_encoder(accept)
        return encode(self), media_type

    def collect(self) -> Iterator[Metric]:
        """What prometheus-client writes: the counts of all processes; where none are shared, this one's."""
        counts = self._shared.all() if self._shared else self._own()
        for name, metric in COUNTED.items():
            series = counts.counted.get(name, {})
            if not metric.bounds:
                counter = CounterMetricFamily(f"deltawire_{name}", metric.help, labels=metric.labels)
                for labels, (number,) in series.items():
                    counter.add_metric(labels, number)
                yield counter
                continue
            histogram = HistogramMetricFamily(f"deltawire_{name}", metric.help, labels=metric.labels)
            bounds = [floatToGoString(bound) for bound in (*metric.bounds, inf)]  # type: ignore[no-untyped-call]
            for labels, (*buckets, total) in series.items():
                histogram.add_metric(labels, list(zip(bounds, accumulate(buckets), strict=True)), total)
            yield histogram
        for name, documentation in NOW.items():
            yield GaugeMetricFamily(f"deltawire_{name}", documentation, counts.now[name][()][0])

    def _own(self) -> Counts:
        with self._lock:
            counted = {
                name: {labels: numbers.copy() for labels, numbers in series.items()}
                for name, series in self._counted.items()
            }
            now = {"requests_in_flight": self._in_flight, "queue_length": self._waiting()}
        return Counts(counted, {name: {(): [number]} for name, number in now.items()})


def _observe(numbers: list[float], bounds: tuple[float, ...], measured: float) -> None:
    numbers[bisect_left(bounds, measured)] += 1
    numbers[-1] += measured
