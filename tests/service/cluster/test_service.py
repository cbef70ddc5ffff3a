"""A service with workers over HTTP: links that they read, what is said of them, models that learn."""

from __future__ import annotations

import re
from collections.abc import Iterator
from time import sleep
from typing import Any, NamedTuple

import numpy as np
import pytest
import requests
from support.cluster import Cluster, running_cluster
from support.console import run as run_command
from support.service import Service, free_port, running_service

from deltawire import Client, optim
from deltawire_layers import Array

pytestmark = pytest.mark.cluster

SPEC: dict[str, Any] = {
    "inputs": {"x": {"shape": [300]}, "y": {"shape": [], "dtype": "int64"}},
    "nodes": [
        {"kind": "linear", "inputs": ["x"], "config": {"units": 400}},
        {"kind": "tanh"},
        {"kind": "linear", "config": {"units": 10}},
        {"name": "loss", "kind": "softmax_nll", "inputs": ["linear2", "y"]},
    ],
}
ROWS = 30_000


class Services(NamedTuple):
    """A service with workers, and one without."""

    cluster: Cluster
    sharing: Service
    alone: Service


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Workers that share no folder with the service: they read what they need from it, by links."""
    folders = [str(tmp_path_factory.mktemp(name)) for name in ("sharing", "alone")]
    common = {"trainer": "true", "deadline_seconds": "120", "binary_body_bytes": str(2**28)}
    port = free_port()  # one more, which is known before the service starts
    own = {"dask": "", "cluster_url": f"http://127.0.0.1:{port}", "cluster_operations": "1"}
    with running_cluster(2) as cluster:
        own["dask"] = cluster.address
        with (
            running_service(
                "-w", "1", "-b", f"127.0.0.1:{port}", data_dir=folders[0], **own, **common
            ) as url,
            running_service("-w", "1", data_dir=folders[1], **common) as alone,
        ):
            yield Services(cluster, url, alone)


@pytest.fixture(scope="module")
def batch() -> dict[str, Array]:
    numbers = np.random.default_rng(0)
    return {
        "x": numbers.standard_normal((ROWS, 300)).astype(np.float32),
        "y": numbers.integers(0, 10, ROWS),
    }


def test_workers_read_what_they_need_by_links(services: Services, batch: dict[str, Array]) -> None:
    found = []
    for url in (services.sharing, services.alone):
        client = Client(url)
        params = client.init(SPEC, seed=0, dtype=np.float32)
        assert sum(array.nbytes for array in params.values()) > 2**16  # more than travels with tasks
        result = client.gradients(SPEC, params, batch)
        found.append([np.array(result.loss).tobytes(), *(a.tobytes() for a in result.params.values())])
    assert found[0] == found[1]
    metrics = requests.get(f"{services.sharing}/metrics").text
    assert 'deltawire_cluster_segments_total{place="workers"} 0.0' not in metrics
    assert 'deltawire_cluster_workers{fingerprint="equal"} 2.0' in metrics
    assert 'route="/v1/blobs/<path:path>",status="200"' in metrics


def test_an_answer_says_what_workers_computed(services: Services) -> None:
    client = Client(services.sharing)
    params = {name: array.tolist() for name, array in client.init(SPEC, seed=0).items()}
    data = {"x": np.zeros((4000, 300)).tolist(), "y": [0] * 4000}
    body = {"network": SPEC, "params": params, "data": data}
    answer = requests.post(f"{services.sharing}/v1/gradients", json=body)
    assert answer.status_code == 200, answer.text
    assert 'workers;desc="' in answer.headers["Server-Timing"]
    assert "segments by workers" in answer.headers["Server-Timing"]


def test_limits_and_the_command_line_count_the_workers(services: Services) -> None:
    limits = Client(services.sharing).limits()
    assert limits["workers"] == {"connected": True, "equal": 2, "other": 0}
    shown = run_command("cluster", "status", services.cluster.address, "--url", services.sharing)
    assert shown.exit_code == 0, shown.output
    assert "2 workers of 2 can take tasks" in shown.output and limits["fingerprint"][:12] in shown.output


def test_a_link_that_is_not_signed_leads_nowhere(services: Services) -> None:
    for path in ("database.sqlite3", "blobs/secret", "..%2f..%2fetc%2fpasswd"):
        answer = requests.get(
            f"{services.sharing}/v1/blobs/{path}?begin=0&size=9&expires=9999999999&signature=0"
        )
        assert (answer.status_code, answer.json()["code"]) in ((403, "link_invalid"), (404, "not_found"))
    assert requests.get(f"{services.alone}/v1/blobs/database.sqlite3").status_code == 404


def test_models_learn_the_same(services: Services, batch: dict[str, Array]) -> None:
    """By steps, and by a run: the gradient is computed by workers, the update by the service."""
    found, counts = [], list[float]()
    for url in (services.sharing, services.alone):
        model = Client(url, timeout=150).create_model(
            SPEC, name="digits", optimizer=optim.adam(1e-2), seed=0, dtype=np.float32
        )
        losses = [model.step(batch).loss for _ in range(2)]
        counts.append(segments_by_workers(url))
        run = model.fit(batch, epochs=2, batch_size=ROWS // 2, seed=1)
        found.append((losses, run.describe()["state"], {n: a.tobytes() for n, a in model.params().items()}))
        counts.append(segments_by_workers(url))
    assert counts[1] >= counts[0] + 8 and counts[2:] == [0, 0]
    assert found[0][1] == "finished"
    assert found[0] == found[1]


def segments_by_workers(url: str) -> float:
    """How many segments workers have computed for a service, its trainer included."""
    sleep(1)  # the counts of the trainer are half a second old
    metrics = requests.get(f"{url}/metrics").text
    (count,) = re.findall(r'cluster_segments_total{place="workers"} (\S+)', metrics) or [0]
    return float(count)
