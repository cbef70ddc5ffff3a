"""Computations on other machines as the service observes them: in its metrics, and in `Server-Timing`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from deltawire_service.cluster.report import Membership, Report
from deltawire_service.http.request_context import current_request
from deltawire_service.observability.metrics import Metrics

PHASE = "workers"


class ClusterObserver:
    """Counts what workers computed. metrics: of the application."""

    def __init__(self, metrics: Metrics):
        self._metrics = metrics

    def __call__(self, report: Report) -> None:
        """Count a computation, here and in the current request."""
        self._metrics.on_segments(report)
        if context := current_request(None):  # a run has none
            seconds = context.phase_seconds.get(PHASE, 0.0)
            context.phase_seconds[PHASE] = seconds + report.seconds
            context.phase_notes[PHASE] = f"{report.workers} segments by workers, {report.here} here"


def worker_metrics(membership: Callable[[], Membership] | None) -> Iterator[Metric]:
    """Return the metrics of workers for prometheus-client.

    membership: returns how many there are; None where no scheduler is set: then no metric has a number.
    """
    text = "Workers of the Dask scheduler, by whether they compute the same bits as this process"
    workers = GaugeMetricFamily("deltawire_cluster_workers", text, labels=("fingerprint",))
    if membership:
        members = membership()
        workers.add_metric(["equal"], members.equal)
        workers.add_metric(["other"], members.other)
    yield workers
