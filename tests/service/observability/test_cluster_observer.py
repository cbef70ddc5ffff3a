"""Computations on other machines in the metrics, and how many workers there are."""

from __future__ import annotations

from deltawire_service.cluster.report import Membership, Report
from deltawire_service.observability.cluster_observer import ClusterObserver, worker_metrics
from deltawire_service.observability.metrics import Metrics


def test_segments_and_bytes_are_counted() -> None:
    metrics = Metrics(lambda: 0)
    observe = ClusterObserver(metrics)
    for _ in range(2):  # without a request, as in a run
        observe(Report(workers=3, here=1, recomputed=2, sent_bytes=10, received_bytes=100, seconds=0.5))
    text = metrics.text("")[0].decode()
    assert 'deltawire_cluster_segments_total{place="workers"} 6.0' in text
    assert 'deltawire_cluster_segments_total{place="here"} 2.0' in text
    assert "deltawire_cluster_recomputed_total 4.0" in text
    assert 'deltawire_cluster_bytes_total{direction="sent"} 20.0' in text
    assert 'deltawire_cluster_bytes_total{direction="received"} 200.0' in text


def test_workers_are_counted_where_there_is_a_scheduler() -> None:
    (gauge,) = worker_metrics(lambda: Membership(True, 2, 1))
    assert [(sample.labels["fingerprint"], sample.value) for sample in gauge.samples] == [
        ("equal", 2),
        ("other", 1),
    ]
    (none,) = worker_metrics(None)
    assert none.samples == []
