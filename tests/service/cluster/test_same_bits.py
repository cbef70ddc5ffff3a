"""Every derivative computed by workers: the bits of one process, for 1, 2 and 4 workers, 1 and 2 threads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from support.cluster import Sent, cut_into, running_cluster, sending_to
from support.derivative_bits import derivative_bits
from support.engine import LAYERS
from support.networks import Example, examples

from deltawire_service.engine import Threads, compile_network

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module", params=[1, 2, 4])
def sent(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    """Networks that compute with one worker of two threads, or with two or four of one."""
    options = ["--threads", "2"] if request.param == 1 else []
    folder: Path = tmp_path_factory.mktemp("data")
    with running_cluster(request.param, *options, DELTAWIRE_DATA_DIR=str(folder)) as cluster:
        yield sending_to(cluster, folder, threads=2 if request.param == 2 else 1)


# Threads of Dask draw from Python's `random` meanwhile, which hypothesis takes for a strategy's.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
@settings(max_examples=5, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
@given(
    examples(),
    st.sampled_from(["float32", "float64"]),
    st.integers(8, 40),
    st.integers(8, 100),
    st.integers(1, 2),
)
def test_every_derivative_has_the_same_bits(
    sent: Sent, example: Example, dtype: str, times: int, chunks: int, threads: int
) -> None:
    example = example.astype(dtype)
    spec = example.spec
    data = {
        name: array if spec["inputs"][name].get("shared") else np.concatenate([array] * times)
        for name, array in example.data.items()
    }
    assume(any(not entry.get("shared") and "parameter" not in entry for entry in spec["inputs"].values()))
    with cut_into(chunks):
        here = derivative_bits(compile_network(spec, LAYERS, threads=Threads(threads)), example.params, data)
        before = len(sent.reports)
        there = derivative_bits(sent.compile(spec), example.params, data)
    reports = sent.reports[before:]
    assert reports
    assert sum(report.workers for report in reports) >= 8
    assert [name for name in here if here[name] != there[name]] == []


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_parameters_and_rows_travel_in_files(sent: Sent, dtype: str) -> None:
    spec = {
        "inputs": {"x": {"shape": [600]}, "mask": {"shape": [300], "shared": True}},
        "nodes": [
            {"name": "h", "kind": "linear", "inputs": ["x"], "config": {"units": 300}},
            {"name": "m", "kind": "multiply", "inputs": ["h", "mask"]},
            {"kind": "tanh"},
            {"name": "loss", "kind": "sum"},
        ],
    }
    network = sent.compile(spec)
    numbers = np.random.default_rng(0)
    params = network.init(0, dtype)
    data = {
        "x": numbers.standard_normal((5000, 600)).astype(dtype),
        "mask": numbers.integers(0, 2, 300).astype(dtype),
    }
    assert data["x"].nbytes > 2**23 and params["h.weight"].nbytes > 2**16
    with cut_into(10):
        here = derivative_bits_of_gradients(compile_network(spec, LAYERS), params, data)
        there = derivative_bits_of_gradients(network, params, data)
    assert here == there
    assert sent.last.workers == 10 and sent.last.sent_bytes < 2**20
    assert not list((sent.folder / "blobs").glob("*/[0-9]*"))  # they are gone with the computation


def derivative_bits_of_gradients(network, params, data) -> list[bytes]:
    result = network.gradients(params, data, wrt_data=True)
    return [array.tobytes() for array in (*result.params.values(), *result.data.values(), result.losses)]
