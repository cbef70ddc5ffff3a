"""A value and its gradient through tesseract-jax: with and without kept forward passes.

python -m benchmarks.http.reuse [--rounds 5] [--calls 20]

It needs the extra `deltawire[clients]`. Both services have one worker; calls take turns.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import jax
import numpy as np
from safetensors.numpy import save_file
from tesseract_core import Tesseract
from tesseract_jax import apply_tesseract

from benchmarks.http.server import serving
from benchmarks.machine import machine
from benchmarks.tables import number, table

WIDTH, PLACES, DEPTH = 512, 1024, 8


def dense(name: str, source: str) -> list[dict[str, Any]]:
    linear = {"name": f"{name}_linear", "kind": "linear", "config": {"units": WIDTH}, "inputs": [source]}
    return [linear, {"name": name, "kind": "tanh", "inputs": [linear["name"]]}]


def layers(source: str) -> list[dict[str, Any]]:
    names = [source, *(f"dense_{i}" for i in range(DEPTH))]
    return [node for before, name in zip(names, names[1:], strict=False) for node in dense(name, before)]


NETWORKS: dict[str, dict[str, Any]] = {
    "forward dominates": {  # x joins after the layers, which compute with a field of the network's own
        "inputs": {"x": {"shape": [WIDTH]}, "field": {"shape": [PLACES, WIDTH], "shared": True}},
        "nodes": [
            *layers("field"),
            {"name": "mean", "kind": "mean", "config": {"axes": [0]}},
            {"name": "y", "kind": "multiply", "inputs": ["mean", "x"]},
        ],
    },
    "deep": {  # x goes through all layers: the pass back takes as long as the pass forward
        "inputs": {"x": {"shape": [PLACES, WIDTH]}},
        "nodes": [*layers("x"), {"name": "y", "kind": "mean", "config": {"axes": [0]}}],
    },
}


def publish(folder: Path) -> None:
    """Write a file for each network."""
    random = np.random.default_rng(0)
    for name, spec in NETWORKS.items():
        arrays = {}
        for node in spec["nodes"]:
            if node["kind"] == "linear":
                weight = random.normal(size=(WIDTH, WIDTH)).astype("f4") / np.float32(np.sqrt(WIDTH))
                arrays[f"params/{node['name']}.weight"] = weight
                arrays[f"params/{node['name']}.bias"] = np.zeros(WIDTH, "f4")
        if "field" in spec["inputs"]:
            arrays["data/field"] = random.normal(size=(PLACES, WIDTH)).astype("f4")
        request = json.dumps({"network": spec, "values": ["y"]})
        save_file(arrays, folder / f"{name.replace(' ', '-')}.safetensors", metadata={"request": request})


def differentiated(port: int, name: str) -> Callable[[Any], Any]:
    """Return the value and the gradient of a network on a server."""
    tesseract = Tesseract.from_url(f"http://127.0.0.1:{port}/tesseract/{name.replace(' ', '-')}")
    return jax.value_and_grad(lambda x: apply_tesseract(tesseract, {"x": x})["y"].sum())


def seconds(call: Callable[[Any], Any], x: Any) -> float:
    begin = perf_counter()
    jax.block_until_ready(call(x))
    return perf_counter() - begin


def report(options: Namespace) -> str:
    """Return a table of median times in milliseconds, and of the median ratio over rounds."""
    rows = []
    with TemporaryDirectory() as folder:
        publish(Path(folder))
        environment = {"DELTAWIRE_NETWORKS_DIR": folder}
        for name, spec in NETWORKS.items():
            rounds = []
            for _ in range(options.rounds):
                with (
                    serving(**environment) as kept,
                    serving(DELTAWIRE_KEPT_PASS_BYTES="0", **environment) as none,
                ):
                    calls = [differentiated(server.port, name) for server in (kept, none)]
                    rounds.append(times(calls, spec, options.calls))
            ratio = median(kept / none for kept, none in rounds)
            columns = (median(column) * 1000 for column in zip(*rounds, strict=True))
            rows.append([name, *map(number, columns), number(ratio)])
    return table(["value and gradient", "kept, ms", "none kept, ms", "ratio"], rows)


def times(calls: list[Callable[[Any], Any]], spec: dict[str, Any], count: int) -> list[float]:
    """Return the median time of each call, at points that no call has seen."""
    random = np.random.default_rng(1)
    shape = (1, *spec["inputs"]["x"]["shape"])
    found: list[list[float]] = [[] for _ in calls]
    for _ in range(count + 3):
        x = random.normal(size=shape).astype("f4")
        for each, call in zip(found, calls, strict=True):
            each.append(seconds(call, x))
    return [median(each[3:]) for each in found]  # the first ones compile


def main() -> None:
    """Print the machine and the table."""
    parser = ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--calls", type=int, default=20)
    print(machine(("jax", "tesseract-core", "tesseract-jax")))
    print(report(parser.parse_args()))


if __name__ == "__main__":
    main()
