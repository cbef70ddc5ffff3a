"""Teams: threads that help a kernel, and change no bit."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from math import inf
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import numpy as np
import pytest
from support.engine import compiled

from deltawire_service.engine import Network, Threads
from deltawire_service.engine.execute.backprop import Pass

pytestmark = pytest.mark.kernels


def residual(blocks: int, width: int) -> dict[str, Any]:
    """Return a network of blocks x + tanh(W x + b)."""
    nodes: list[dict[str, Any]] = []
    last = "x"
    for number in range(blocks):
        linear, gate, last_one, last = f"l{number}", f"g{number}", last, f"b{number}"
        nodes += [
            {"name": linear, "kind": "linear", "inputs": [last_one], "config": {"units": width}},
            {"name": gate, "kind": "tanh", "inputs": [linear]},
            {"name": last, "kind": "add", "inputs": [last_one, gate]},
        ]
    return {"inputs": {"x": {"shape": [width]}}, "nodes": [*nodes, {"name": "loss", "kind": "sum"}]}


def bits(network: Network, rows: int, dtype: str) -> dict[str, bytes]:
    random = np.random.default_rng(0)
    params = {
        name: (random.normal(size=each.shape) / 16).astype(dtype) for name, each in network.parameters.items()
    }
    data = {"x": random.normal(size=(rows, *network.inputs["x"].shape)).astype(dtype)}
    result = network.gradients(params, data, wrt_data=True)
    arrays = {**result.params, "x": result.data["x"], "losses": result.losses}
    return {name: array.tobytes() for name, array in arrays.items()}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("rows", "width"),
    [(64, 256), (256, 96), (257, 130), (512, 256), (700, 128), (1024, 120), (60, 1000)],
)
def test_a_team_and_its_pieces_have_the_bits_of_the_loop(
    rows: int, width: int, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Threads(2).limit_blas()  # its own threads would cut products by their number
    network = compiled(residual(3, width))
    loop = bits(replace(network, flat_after=inf), rows, dtype)
    monkeypatch.setattr(Pass, "_compute_by_steps", None)  # nothing may send the pass back to the loop
    for threads in (Threads(1), Threads(2), Threads(4)):
        helped = replace(network, flat_after=0, threads=threads)
        for _ in range(3):
            assert bits(helped, rows, dtype) == loop


def threads_of_this_process() -> int:
    return len([*Path("/proc/self/task").iterdir()])


def soon(condition: Callable[[], bool]) -> bool:
    """Return whether a condition comes true within five seconds."""
    end = monotonic() + 5
    while not condition() and monotonic() < end:
        sleep(0.01)
    return condition()


def test_the_helpers_end_with_their_team() -> None:
    from deltawire_kernels import Team

    before = threads_of_this_process()
    team = Team(3)
    assert soon(lambda: threads_of_this_process() == before + 3)
    del team
    assert soon(lambda: threads_of_this_process() == before)


def test_a_team_starts_with_the_first_request_that_several_threads_compute() -> None:
    before = threads_of_this_process()
    alone, two = (replace(compiled(residual(1, 8)), threads=Threads(count)) for count in (1, 2))
    bits(alone, 2, "float64")
    assert threads_of_this_process() == before
    bits(two, 2, "float64")
    assert threads_of_this_process() == before + 1
    bits(two, 2, "float64")
    assert threads_of_this_process() == before + 1


def test_a_process_that_is_forked_computes_without_helpers() -> None:
    network = replace(compiled(residual(2, 256)), flat_after=0, threads=Threads(2))
    here = bits(network, 64, "float64")
    child = os.fork()
    if child == 0:
        os._exit(0 if bits(network, 64, "float64") == here else 1)
    assert os.waitpid(child, 0)[1] == 0
