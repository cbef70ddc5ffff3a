"""Peak memory of requests against their plans, in the one worker process of a real gunicorn."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import requests

from deltawire import Client, wire

MIB = 2**20

BODY_NUMBERS = {wire.JSON: 15 * MIB // 21, wire.SAFETENSORS: 60 * MIB // 8}
"""Numbers that a body may hold as the service is shipped: drawn at random, they take 21 bytes in JSON."""

LARGE = {
    "inputs": {"x": {"shape": [400]}},
    "nodes": [{"kind": "linear", "config": {"units": 500}}, {"name": "loss", "kind": "sum"}],
}
"""The first one is always this: a measurement that has seen nothing large has shown nothing."""

FAMILIES: dict[str, tuple[str, ...]] = {
    "vectors": ("linear", "sigmoid", "relu", "gelu", "layer_norm", "rms_norm", "softmax", "skip", "concat"),
    "sequences": (
        *("linear", "attention", "multi_head_attention", "lstm", "gru", "elman", "layer_norm", "conv1d"),
        *("square", "skip", "silu"),
    ),
    "images": ("conv2d", "relu", "max_pool2d", "avg_pool2d", "group_norm", "skip", "tanh"),
}


class Measured(NamedTuple):
    """A request, and what it took at its peak: as planned, and as the worker grew."""

    planned: int
    grown: int
    asked: dict[str, Any]


def measured(url: str, media_type: str, seed: int, count: int) -> Iterator[Measured]:
    """So many random requests in one media type, posted to the one worker behind the url."""
    process = worker(url)
    with Client(url, media_type=media_type) as client, requests.Session() as session:
        session.headers.update({"Content-Type": media_type, "Accept": media_type})
        for number in range(count):
            dice = random.Random(f"{seed}/{number}")
            asked, planned = ask(client, media_type, dice, LARGE if number == 0 else None)
            numbers = np.random.default_rng(number)
            tensors = {
                "params": {
                    each["name"]: drawn(each["shape"], numbers, asked) for each in planned["parameters"]
                },
                "data": {
                    name: numbers.integers(0, 50, (asked["batch"], *slot["shape"]))
                    if slot.get("dtype") == "int64"
                    else drawn((asked["batch"], *slot["shape"]), numbers, asked)
                    for name, slot in asked["network"]["inputs"].items()
                },
            }
            body = wire.encode(without(asked, "batch") | tensors | {"non_finite": "return"}, media_type)
            before = resident(process, "VmRSS")
            (process / "clear_refs").write_text("5")  # the peak starts anew
            answer = session.post(f"{url}/v1/gradients", body)
            assert answer.status_code == 200, (answer.text, asked)
            yield Measured(planned["peak_bytes"], resident(process, "VmHWM") - before, asked)


def ask(
    client: Client, media_type: str, dice: random.Random, network: dict[str, Any] | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A request without its tensors, and its plan: up to 400 planned MiB, a body that the service takes."""
    while True:
        spec = network or random_spec(dice)
        names = [node["name"] for node in spec["nodes"] if "name" in node]
        asked: dict[str, Any] = {
            "wrt": {"params": dice.random() < 0.8, "data": dice.random() < 0.4 and "x" in spec["inputs"]},
            "values": dice.sample(names, dice.choice([0, 0, 1])),
            "deltas": dice.sample(names, dice.choice([0, 0, 1])),
            "dtype": dice.choice(["float32", "float64"]),
        }
        wanted = dice.choice([1, 10, 50, 150, 400]) * MIB
        plan: dict[str, Any] | None = None
        batch = 1
        while fits(larger := client.plan(spec, batch, **asked), wanted, asked["dtype"], media_type):
            plan = larger
            batch *= 2
        if plan is not None:
            return asked | {"network": spec, "batch": batch // 2}, plan


def fits(plan: dict[str, Any], wanted: int, dtype: str, media_type: str) -> bool:
    return bool(
        plan["peak_bytes"] < wanted
        and plan["operations"] < 2**36  # the measurement ends some time
        and plan["given_bytes"] < BODY_NUMBERS[media_type] * np.dtype(dtype).itemsize
    )


def drawn(shape: Any, numbers: np.random.Generator, asked: dict[str, Any]) -> Any:
    return numbers.normal(0, 0.05, shape).astype(asked["dtype"])


def without(asked: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in asked.items() if name != key}


def random_spec(dice: random.Random) -> dict[str, Any]:
    """A stack with skip connections, of vectors, of sequences or of images, of very different sizes."""
    family = dice.choice(["vectors", *FAMILIES])
    inputs: dict[str, Any] = {"x": {"shape": shape_of(family, dice)}}
    shape = inputs["x"]["shape"]
    nodes: list[dict[str, Any]] = []
    last, width = "x", shape[0] if family == "vectors" else shape[-1]
    if family == "sequences" and dice.random() < 0.3:  # of words
        inputs = {"words": {"shape": shape[:1], "dtype": "int64"}}
        config = {"rows": dice.choice([50, 2000]), "width": width}
        nodes.append({"name": "x", "kind": "embedding", "inputs": ["words"], "config": config})
    same = [last]
    for number in range(dice.randint(1, 10)):
        kind, config, sources = dice.choice(FAMILIES[family]), {}, [last]
        if kind == "linear":
            width = dice.choice([2, 30, 500, 2000])
            config, same = {"units": width}, []
        elif kind in ("lstm", "gru", "elman"):
            width = dice.choice([4, 32, 64])
            config, same = {"units": width}, []
        elif kind == "multi_head_attention":
            config, sources = {"heads": 1}, [last] * 3
        elif kind == "attention":
            sources = [last] * 3
        elif kind == "square":  # x xᵀ x
            nodes.append({"name": f"t{number}", "kind": "transpose", "inputs": [last]})
            nodes.append({"name": f"p{number}", "kind": "matmul", "inputs": [last, f"t{number}"]})
            kind, sources = "matmul", [f"p{number}", last]
        elif kind == "concat":
            if width > 4000:
                continue
            sources, width, same = [last] * 2, 2 * width, []
        elif kind == "skip":
            kind, sources = "add", [last, dice.choice(same or [last])]
        elif kind == "conv1d":
            config = {"channels": shape[0], "kernel": 3, "padding": 1}
        elif kind == "conv2d":
            config, same = {"channels": dice.choice([1, 4, 16]), "kernel": 3, "padding": 1}, []
        elif kind in ("max_pool2d", "avg_pool2d"):
            config, same = {"kernel": 3, "stride": 1, "padding": 1}, []
        elif kind == "group_norm":
            config = {"groups": 1}
        last = f"n{number}"
        nodes.append({"name": last, "kind": kind, "inputs": sources, "config": config})
        same.append(last)
    reduced = "max" if family == "vectors" and dice.random() < 0.3 else "sum"
    nodes.append({"name": "loss", "kind": reduced, "inputs": [last]})
    return {"inputs": inputs, "nodes": nodes}


def shape_of(family: str, dice: random.Random) -> list[int]:
    if family == "vectors":
        return [dice.choice([1, 10, 300, 4000])]
    if family == "sequences":
        return [dice.choice([2, 16, 64]), dice.choice([4, 32, 128])]
    return [dice.choice([1, 3, 8]), dice.choice([8, 24, 48]), dice.choice([8, 24, 48])]


def worker(url: str) -> Path:
    """The folder in /proc of the one worker that serves there: the child of the process that was started."""
    address = url.removeprefix("http://").encode()
    pids = [path.name for path in Path("/proc").iterdir() if path.name.isdigit() and serves(path, address)]
    return next(path for pid in pids if (path := Path("/proc", pid)) and parent(path) in pids)


def serves(process: Path, address: bytes) -> bool:
    try:
        return address in (process / "cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):  # it has ended in the meantime
        return False


def parent(process: Path) -> str:
    return (process / "status").read_text().split("PPid:")[1].split()[0]


def resident(process: Path, which: str) -> int:
    """VmRSS or VmHWM (its peak), in bytes."""
    return 1024 * int((process / "status").read_text().split(f"{which}:")[1].split()[0])
