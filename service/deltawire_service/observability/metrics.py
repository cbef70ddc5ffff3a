"""Metrics of requests and computations, for Prometheus; docs/operations.md says what each means.

No label is a caller's text: routes are templates, kinds those of installed layers, codes those of
problem_codes.py. So the number of series is bounded, and nothing of a request is in them.

A request is counted by a few additions in this process's own memory. In memory that processes share, where
prometheus-client counts, they would take a tenth of the time of a small request.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
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

from deltawire_service.cluster.report import Report
from deltawire_service.engine import Plan, Runner
from deltawire_service.http.request_context import RequestContext
from deltawire_service.observability.multiprocess_metrics import Counts, MultiprocessCounts, Series
from deltawire_service.server.standard_streams import dropped_lines

T = TypeVar("T")

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
BYTES = tuple(4.0**exponent for exponent in range(4, 15))  # 256 B to 256 MiB
MOST_BYTES = 2**50
"""Bytes that a body is counted as at most: a refused request may have announced any number."""

NOWHERE = "none"
"""The label for requests without a route."""


class Description(NamedTuple):
    """A metric: a counter, which is one number, or a histogram."""

    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    """Upper bounds of a histogram's buckets; its numbers are the count of each, the count above, the sum."""

    def zero(self) -> list[float]:
        """Return the numbers of a series that has counted nothing."""
        # Floating-point numbers: sums of bytes grow for years.
        return [0.0] * (len(self.bounds) + 2 if self.bounds else 1)


METRICS: Mapping[str, Description] = {
    "requests": Description("Requests answered", ("route", "status", "code")),
    "request_seconds": Description("From a request's head to its answer's end", ("route",), SECONDS),
    "request_bytes": Description("Bodies of requests, as announced", ("route",), BYTES),
    "answer_bytes": Description("Bodies of answers", ("route",), BYTES),
    "rejections": Description("Requests turned away though they may be right", ("code",)),
    "plan_bytes": Description("Planned memory of a computation", (), BYTES),
    "compute_seconds": Description("Time in layers, a processor each", ("kind",)),
    "model_changes": Description("Changes of models, committed", ("kind",)),
    "dataset_changes": Description("Datasets made and deleted", ("kind",)),
    "run_steps": Description("Steps of runs, committed"),
    "answers_replayed": Description("Requests that got the answer that their Idempotency-Key got before"),
    "store_seconds": Description("Parts of the changes of models", ("part",), SECONDS),
    "cluster_segments": Description("Segments of computations that went to workers", ("place",)),
    "cluster_recomputed": Description("Segments that were lost with a worker, and computed again"),
    "cluster_bytes": Description("Tasks and results on their way", ("direction",)),
    "log_lines_dropped": Description("Log lines that could not be written"),
}
GAUGES: Mapping[str, str] = {
    "requests_in_flight": "Requests whose answer is not sent yet",
    "queue_length": "Computations that wait for their turn",
}
"""Gauges: their present value, over all processes that live."""


class Metrics:
    """The metrics of one application. waiting: returns how many computations wait for their turn."""

    def __init__(self, waiting: Callable[[], int]) -> None:
        self._waiting = waiting
        self._others: list[Callable[[], Iterable[Metric]]] = []
        self._lock = Lock()
        self._shared: MultiprocessCounts | None = None
        self._start()

    def _start(self) -> None:
        self._in_flight = 0
        self._counted: dict[str, Series] = {
            name: defaultdict(metric.zero) for name, metric in METRICS.items()
        }
        for name in ("plan_bytes", "run_steps", "answers_replayed", "cluster_recomputed"):
            self._counted[name][()]  # without labels, its only series is known now
        self._numbers = cache(self._numbers_of)

    def add(self, collect: Callable[[], Iterable[Metric]]) -> None:
        """Add metrics that somebody else counts. collect: returns them each time that they are asked for."""
        self._others.append(collect)

    def share(self, folder: str) -> None:
        """Count anew, together with the other processes of a folder of `server/shared_folder.py`."""
        self._start()
        self._shared = MultiprocessCounts(folder, self._own)

    def leave(self) -> None:
        """Write down the counts of this process, which ends, for the others."""
        if self._shared:
            self._shared.write()

    def on_request(self, context: RequestContext) -> None:
        """Count a request that has come."""
        with self._lock:
            self._in_flight += 1

    def on_request_end(self, context: RequestContext) -> None:
        """Count a request that has been answered, or whose client has left."""
        elapsed, status = perf_counter() - context.started, context.status
        code = context.problem_code or ""
        with self._lock:
            self._in_flight -= 1
            requests, seconds, received, sent = self._numbers(context.route or NOWHERE, status, code)
            requests[0] += 1
            _observe(seconds, SECONDS, elapsed)
            _observe(received, BYTES, min(context.content_length or 0, MOST_BYTES))
            _observe(sent, BYTES, context.response_bytes)
            self._counted["answers_replayed"][()][0] += context.replayed
            if status in (429, 503, 504):
                self._counted["rejections"][(code,)][0] += 1

    def _numbers_of(self, route: str, status: int, code: str) -> tuple[list[float], ...]:
        """Return the numbers that a request is added to; they are looked up once."""
        counted = self._counted
        by_route = (counted[name][(route,)] for name in ("request_seconds", "request_bytes", "answer_bytes"))
        return counted["requests"][route, str(status), code], *by_route

    def on_compute_seconds(self, seconds: Mapping[str, float]) -> None:
        """Count the seconds of a computation that has ended, by kind of layer."""
        counted = self._counted["compute_seconds"]
        with self._lock:
            for kind, each in seconds.items():
                counted[(kind,)][0] += each

    def on_model_change(self, kind: str) -> None:
        """Count a change of a model, by the kind of its entry in the ledger; `deleted` for the last one."""
        with self._lock:
            self._counted["model_changes"][(kind,)][0] += 1

    def on_dataset_change(self, kind: str) -> None:
        """Count a dataset that is made or deleted. kind: `created` or `deleted`."""
        with self._lock:
            self._counted["dataset_changes"][(kind,)][0] += 1

    def on_run_steps(self, count: int) -> None:
        """Count steps of a run that are committed together."""
        with self._lock:
            self._counted["run_steps"][()][0] += count

    def on_store_part(self, part: str, seconds: float) -> None:
        """Count the seconds of a part of a change: `lock`, `commit`, …, as `store/observer.py` has them."""
        with self._lock:
            _observe(self._counted["store_seconds"][(part,)], SECONDS, seconds)

    def on_segments(self, report: Report) -> None:
        """Count the segments of a computation that went out."""
        segments, moved = self._counted["cluster_segments"], self._counted["cluster_bytes"]
        with self._lock:
            segments[("workers",)][0] += report.workers
            segments[("here",)][0] += report.here
            self._counted["cluster_recomputed"][()][0] += report.recomputed
            moved[("sent",)][0] += report.sent_bytes
            moved[("received",)][0] += report.received_bytes

    def counting_plans(self, run: Runner) -> Runner:
        """Return a runner that counts the planned memory, then runs."""

        def counting(compute: Callable[[], T], plan: Plan | None = None) -> T:
            if plan:
                with self._lock:
                    _observe(self._counted["plan_bytes"][()], BYTES, plan.peak_bytes)
            return run(compute, plan)

        return counting

    def text(self, accept: str) -> tuple[bytes, str]:
        """Return all metrics as text, and its media type. accept: the header `Accept` of the request."""
        encode, media_type = choose_encoder(accept)
        return encode(self), media_type

    def collect(self) -> Iterator[Metric]:
        """Return the metrics for prometheus-client: of all processes that share them, or of this one."""
        counts = self._shared.all() if self._shared else self._own()
        for name, metric in METRICS.items():
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
        for name, documentation in GAUGES.items():
            yield GaugeMetricFamily(f"deltawire_{name}", documentation, counts.now[name][()][0])
        for collect in self._others:
            yield from collect()

    def _own(self) -> Counts:
        with self._lock:
            self._counted["log_lines_dropped"][()][0] = dropped_lines()
            counted = {
                name: {labels: numbers.copy() for labels, numbers in series.items()}
                for name, series in self._counted.items()
            }
            now = {"requests_in_flight": self._in_flight, "queue_length": self._waiting()}
        return Counts(counted, {name: {(): [number]} for name, number in now.items()})


def _observe(numbers: list[float], bounds: tuple[float, ...], measured: float) -> None:
    numbers[bisect_left(bounds, measured)] += 1
    numbers[-1] += measured
