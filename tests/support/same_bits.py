"""Networks computed with one, two and three threads, their bits compared: run in a process of its own.

python -m support.same_bits SEED, with OPENBLAS_CORETYPE naming the kernel. Prints JSON: the kernel that
computed, the BLAS that was chosen, how often batches and products were cut, and the names of results that
differ.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import Any
from unittest.mock import patch

import numpy as np
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from support.networks import Example, examples
from threadpoolctl import ThreadpoolController

from deltawire_layers import blas, load_layers, pieces, sharing
from deltawire_service.engine import Direction, Network, Threads, compile_network
from deltawire_service.engine.plan import cuts, memory_plan

LAYERS = load_layers()
BLAS = ThreadpoolController().select(user_api="blas").lib_controllers
CUT: Counter[str] = Counter()
DIFFERENT: list[str] = []


def compare(name: str, spec: Any, params: Any, data: Any, curved: bool = True) -> None:
    """Note every array that another number of threads changes a bit of."""
    results = []
    for count in (1, 2, 3):
        for library in BLAS:
            library.set_num_threads(1)  # as the service starts it
        network = compile_network(spec, LAYERS, threads=Threads(count))
        results.append(bits(network, params, data, curved))
    for result in results[1:]:
        DIFFERENT.extend(f"{name} {place}" for place in results[0] if result[place] != results[0][place])


def bits(network: Network, params: Any, data: Any, curved: bool) -> dict[str, bytes]:
    result = network.gradients(params, data, wrt_data=True, values=network.nodes, deltas=network.nodes)
    parts: dict[str, Any] = {"losses": {"": result.losses}, "loss": {"": np.array(result.loss)}}
    parts |= {part: getattr(result, part) for part in ("params", "data", "values", "deltas")}
    cotangents = {name: result.values[name] for name in network.loss}
    products = network.vjp(params, data, cotangents, wrt_data=True)
    parts |= {"vjp params": products.params, "vjp data": products.data}
    if curved and params:
        parts["hvp"] = network.hvp(params, data, Direction(params), wrt_data=True).params
    plan = network.plan(len(result.losses), result.losses.dtype)
    CUT["chunks"] += plan.chunks > 1
    CUT["segments"] += plan.chunks > cuts.MOST_SEGMENTS
    return {
        f"{part}/{name}": array.tobytes() for part, arrays in parts.items() for name, array in arrays.items()
    }


def counted(functions: Any, compute: Any = sharing.compute) -> None:
    CUT["pieces"] += 1
    compute(functions)


def random_networks(number: int) -> None:
    """Small networks, cut as finely as large ones are."""

    @seed(number)
    @settings(max_examples=60, database=None, deadline=None)
    @given(examples(), st.sampled_from(["float32", "float64"]), st.integers(1, 60) | st.just(60))
    def test(example: Example, dtype: str, times: int) -> None:
        example = example.astype(dtype)
        inputs = example.spec["inputs"]
        data = {
            name: array if inputs[name].get("shared") else np.concatenate([array] * times)
            for name, array in example.data.items()
        }
        compare("random", example.spec, example.params, data)

    small = {"CHUNK_BYTES": 2**8, "CHUNK_ROWS": 1}
    with (
        patch.multiple(memory_plan, **small),
        patch.multiple(pieces, PIECE=2**6, WIDTH=2),
        patch.object(blas, "LEAST", 2**6),
    ):
        test()


def large_networks() -> None:
    """Networks that are cut as they are."""
    rng = np.random.default_rng(0)
    dense = [
        {"kind": "linear", "inputs": ["x"], "config": {"units": 512}},
        {"kind": "gelu"},
        {"kind": "linear", "config": {"units": 300}},
        {"kind": "tanh"},
        {"kind": "linear", "config": {"units": 10}},
        {"name": "loss", "kind": "softmax_nll", "inputs": ["linear3", "y"]},
    ]
    images = [
        {"kind": "conv2d", "inputs": ["x"], "config": {"channels": 16, "kernel": 3}},
        {"kind": "relu"},
        {"kind": "flatten"},
        {"kind": "linear", "config": {"units": 10}},
        {"name": "loss", "kind": "softmax_nll", "inputs": ["linear1", "y"]},
    ]
    tokens = [
        {"name": "q", "kind": "linear", "inputs": ["x"], "config": {"units": 64}},
        {"name": "a", "kind": "attention", "inputs": ["q", "q", "q"]},
        {"kind": "mean"},
        {"name": "loss", "kind": "squared_error", "inputs": ["mean1", "z"]},
    ]
    for dtype in ("float32", "float64"):
        for nodes, shape, batch in (
            (dense, [400], 1), (dense, [400], 500), (dense, [400], 1100), (dense, [400], 5000),
            (images, [3, 20, 20], 70), (tokens, [128, 64], 50),
        ):  # fmt: skip
            labels = nodes is not tokens
            inputs: dict[str, Any] = {"x": {"shape": shape}}
            inputs |= {"y": {"shape": [], "dtype": "int64"}} if labels else {"z": {"shape": []}}
            network = compile_network(spec := {"inputs": inputs, "nodes": nodes}, LAYERS)
            data = {"x": rng.standard_normal((batch, *shape)).astype(dtype)}
            data |= {"y": rng.integers(0, 10, batch)} if labels else {"z": rng.random(batch).astype(dtype)}
            compare(f"{shape} {batch} {dtype}", spec, network.init(0, dtype), data, curved=batch <= 500)


def main(number: int) -> None:
    with patch.object(pieces, "compute", counted):
        random_networks(number)
        large_networks()
    kernels = [library.architecture for library in BLAS if library.internal_api == "openblas"]
    print(json.dumps({"kernels": kernels, "blas": blas.name(), "cut": CUT, "different": DIFFERENT[:20]}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
