"""ResNet-50 and a network with the sizes of GPT-2 small: made, stepped, read and forked in bounded memory.

    PYTHONPATH=tests python -m torture.large_models [--short]

A thread samples the memory of the one worker that is no mapped file. It grows by at most 1.2 × the plan of a
step; and where nothing is computed, by no more than a few pieces of a body. With --short, ResNet-50 alone.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
from support.large_networks import VOCABULARY, gpt2_sized, resnet50
from support.service import children, running_service
from torture.anonymous_memory import peak_of
from torture.load import arguments, report

from deltawire import Client, Network
from deltawire.optim import adam
from deltawire.wire import Array

MIB = 2**20
STREAMED = 96 * MIB
"""What a request may take that computes nothing, whatever the size of the model."""


def drawn(shape: list[int], dice: np.random.Generator) -> Array:
    """Draw a parameter; its deviation keeps values about as large as they come."""
    inputs = np.prod(shape[1:]) if len(shape) > 1 else 1
    numbers: Array = dice.standard_normal(shape, np.float32) / np.float32(sqrt(inputs))
    return numbers if len(shape) > 1 else np.ones(shape, np.float32)


def batch_of(net: Network, dice: np.random.Generator) -> dict[str, Array]:
    """Draw two examples; means are 0 and variances 1."""
    batch = dict[str, Array]()
    for name, slot in net.spec()["inputs"].items():
        shape = slot["shape"] if slot.get("shared") else [2, *slot["shape"]]
        if slot.get("dtype") == "int64":
            batch[name] = dice.integers(0, min(1000, VOCABULARY), shape)
        else:
            fill = {"_mean": np.zeros, "_var": np.ones}.get(name[name.rfind("_") :], dice.standard_normal)
            batch[name] = np.asarray(fill(shape), np.float32)
    return batch


def try_network(client: Client, pid: int, name: str, net: Network) -> dict[str, Any]:
    """Make a model of a network, step it, read it and fork it; return the figures."""
    dice, grown = np.random.default_rng(0), dict[str, int]()
    plan = client.plan(net, batch=2, dtype="float32")
    params = {each["name"]: drawn(each["shape"], dice) for each in plan["parameters"]}
    size = sum(array.nbytes for array in params.values())
    data, seconds = batch_of(net, dice), dict[str, float]()

    def run(what: str, call: Callable[[], Any]) -> Any:
        began = time.monotonic()
        with peak_of(pid) as peak:
            result = call()
        grown[what] = peak.growth
        seconds[what] = round(time.monotonic() - began, 2)
        return result

    model = run("create", lambda: client.create_model(net, name=name, optimizer=adam(1e-4), params=params))
    step_plan = model.plan(batch=2)["peak_bytes"]
    losses = [run(f"step {number}", lambda: model.step(data)).loss for number in range(3)]
    saved = run("read", model.checkpoint)
    other = run("fork", lambda: model.fork(f"{name}-fork"))
    earlier = run("read version 0", lambda: model.checkpoint(0))
    right = all(np.array_equal(earlier.params[key], array) for key, array in params.items())
    same = other.checkpoint().params_id == saved.params_id
    for each in (model, other):
        each.delete()
    return {
        "parameters_mb": round(size / 1e6, 1),
        "plan_mib": round(step_plan / MIB),
        "grown_mib": {what: round(bytes_ / MIB, 1) for what, bytes_ in grown.items()},
        "seconds": seconds,
        "losses": losses,
        "within": {
            what: bytes_ <= (1.2 * step_plan if what.startswith("step") or "version" in what else STREAMED)
            for what, bytes_ in grown.items()
        },
        "right": right and same and losses[2] < losses[0],
    }


def main() -> None:
    given = arguments("large_models")
    networks: dict[str, Callable[[], Network]] = {"resnet50": resnet50}
    if not given.short:
        networks["gpt2"] = gpt2_sized
    settings = {"planned_bytes": str(4 * 2**30), "deadline_seconds": "600", "model_bytes_per_key": str(2**36)}
    figures, reached = dict[str, Any](), dict[str, bool]()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_service("-w", "1", data_dir=folder, log_level="error", **settings) as service,
        Client(service, timeout=(5, 600)) as client,
    ):
        (pid,) = children(service.pid)
        for name, make in networks.items():
            figures[name] = found = try_network(client, pid, name, make())
            reached[f"{name}: numbers"] = found["right"]
            reached |= {f"{name}: memory, {what}": within for what, within in found["within"].items()}
    report(figures, reached)


if __name__ == "__main__":
    main()
