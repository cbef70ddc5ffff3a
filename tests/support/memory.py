"""Peak memory of requests against their plans: a program, since only a process of its own can be measured.

    python tests/support/memory.py SEED COUNT

Prints one line of JSON for each random network: planned bytes, growth of the resident set at its peak, the
spec.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np

from deltawire_layers import load_layers
from deltawire_service.engine import Network, compile_network

MIB = 2**20


LARGE = {
    "inputs": {"x": {"shape": [4000]}},
    "nodes": [{"kind": "linear", "config": {"units": 2000}}, {"kind": "sum"}],
}
"""The first one is always this: a measurement that has seen nothing large has shown nothing."""


def resident(which: str) -> int:
    """VmRSS or VmHWM (its peak), in bytes."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.split(f"{which}:")[1].split()[0])


def random_spec(dice: random.Random) -> dict[str, Any]:
    """A stack with skip connections, of vectors, of sequences or of images, of very different sizes."""
    family = dice.choice(["vectors", "vectors", "sequences", "images"])
    if family == "vectors":
        shape = [dice.choice([1, 10, 300, 4000])]
        kinds = ["linear", "sigmoid", "relu", "gelu", "layer_norm", "softmax", "skip", "concat"]
    elif family == "sequences":
        shape = [dice.choice([2, 16, 64]), dice.choice([4, 32, 128])]
        kinds = [
            "linear",
            "attention",
            "multi_head_attention",
            "lstm",
            "gru",
            "elman",
            "layer_norm",
            "skip",
            "silu",
        ]
    else:
        shape = [dice.choice([1, 3, 8]), dice.choice([8, 24, 48]), dice.choice([8, 24, 48])]
        kinds = ["conv2d", "relu", "max_pool2d", "avg_pool2d", "group_norm", "skip", "tanh"]
    nodes: list[dict[str, Any]] = []
    last, width = "x", shape[0] if family == "vectors" else shape[-1]
    same = [last]
    for number in range(dice.randint(1, 10)):
        kind, config, inputs = dice.choice(kinds), {}, [last]
        if kind == "linear":
            width = dice.choice([2, 30, 500, 2000])
            config, same = {"units": width}, []
        elif kind in ("lstm", "gru", "elman"):
            width = dice.choice([4, 32, 64])
            config, same = {"units": width}, []
        elif kind == "multi_head_attention":
            config, inputs = {"heads": 1}, [last] * 3
        elif kind == "attention":
            inputs = [last] * 3
        elif kind == "concat":
            if width > 4000:
                continue
            inputs, width, same = [last] * 2, 2 * width, []
        elif kind == "skip":
            kind, inputs = "add", [last, dice.choice(same or [last])]
        elif kind == "conv2d":
            config, same = {"channels": dice.choice([1, 4, 16]), "kernel": 3, "padding": 1}, []
        elif kind in ("max_pool2d", "avg_pool2d"):
            config, same = {"kernel": 3, "stride": 1, "padding": 1}, []
        elif kind == "group_norm":
            config = {"groups": 1}
        last = f"n{number}"
        nodes.append({"name": last, "kind": kind, "inputs": inputs, "config": config})
        same.append(last)
    nodes.append({"name": "loss", "kind": "sum", "inputs": [last]})
    return {"inputs": {"x": {"shape": shape}}, "nodes": nodes}


def request(network: Network, dice: random.Random, dtype: Any) -> tuple[dict[str, Any], int]:
    """Options and a batch size: up to 400 planned MiB, and a cost that keeps the program quick."""
    names = list(network.nodes)
    options = {
        "wrt_params": dice.random() < 0.8,
        "wrt_data": dice.random() < 0.4,
        "values": dice.sample(names, dice.choice([0, 0, 1])),
        "deltas": dice.sample(names, dice.choice([0, 0, 1])),
    }
    wanted, batch = dice.choice([1, 10, 50, 150, 400]) * MIB, 1
    while (
        plan := network.plan(2 * batch, dtype, **options)
    ).peak_bytes < wanted and plan.cost_bytes < 400 * MIB:
        batch *= 2
    return options, batch


def main(seed: int, count: int) -> None:
    layers = load_layers()
    for number in range(count):
        dice = random.Random(f"{seed}/{number}")
        spec = random_spec(dice) if number else LARGE
        network = compile_network(spec, layers)
        dtype = np.dtype(dice.choice(["float32", "float64"]))
        options, batch = request(network, dice, dtype) if number else ({"wrt_data": True}, 2048)
        planned = network.plan(batch, dtype, **options)
        stream = np.random.default_rng(number)
        before = resident("VmRSS")
        params = network.init(0, dtype)
        data = {"x": stream.standard_normal((batch, *network.inputs["x"].shape), np.float32).astype(dtype)}
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
        result = network.gradients(params, data, non_finite="return", **options)
        grown = resident("VmHWM") - before
        del params, data, result
        line = {
            "planned": planned.peak_bytes,
            "grown": grown,
            "batch": batch,
            "options": options,
            "spec": spec,
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
