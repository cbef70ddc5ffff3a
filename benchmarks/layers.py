"""Value, δ and gradients of single layers: ours, with and without compiled kernels, beside torch.

python -m benchmarks.layers [--layers gelu,layer_norm] [--dtypes float32,float64] [--pairs 5] [--seconds 0.3]

Every engine runs in a process of its own, with one thread. Torch computes `backward` of the same arrays.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from statistics import geometric_mean, median
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from benchmarks.engine import processes
from benchmarks.machine import machine
from benchmarks.side_by_side import Program, ratio, side_by_side, times
from benchmarks.tables import number, table


class Case(NamedTuple):
    """A layer with a batch."""

    kind: str
    config: dict[str, Any]
    shape: tuple[int, ...]
    torch: str
    """A call of torch: x, w and b are the batch and the parameters, F is torch.nn.functional."""
    labels: int = 0
    """The classes, for a loss of labels."""


CASES = {
    "gelu": Case("gelu", {}, (512, 1024), "F.gelu(x)"),
    "gelu by tanh": Case("gelu", {"approximate": "tanh"}, (512, 1024), "F.gelu(x, approximate='tanh')"),
    "sigmoid": Case("sigmoid", {}, (512, 1024), "torch.sigmoid(x)"),
    "tanh": Case("tanh", {}, (512, 1024), "torch.tanh(x)"),
    "silu": Case("silu", {}, (512, 1024), "F.silu(x)"),
    "softplus": Case("softplus", {}, (512, 1024), "F.softplus(x)"),
    "softmax": Case("softmax", {}, (2048, 256), "F.softmax(x, -1)"),
    "softmax_nll": Case("softmax_nll", {}, (2048, 256), "F.cross_entropy(x, labels, reduction='sum')", 256),
    "layer_norm": Case("layer_norm", {}, (64, 128, 256), "F.layer_norm(x, (256,), w, b)"),
    "rms_norm": Case("rms_norm", {}, (64, 128, 256), "F.rms_norm(x, (256,), w, 1e-5)"),
    "group_norm": Case("group_norm", {"groups": 8}, (16, 64, 28, 28), "F.group_norm(x, 8, w, b)"),
    "instance_norm": Case("instance_norm", {}, (16, 64, 28, 28), "F.instance_norm(x, weight=w, bias=b)"),
}
ENGINES = ("ours", "numpy", "torch")


def arrays(case: Case, dtype: str) -> tuple[Any, Any, Any]:
    """Return a batch, a δ of its shape, and labels."""
    random = np.random.default_rng(0)
    x, delta = random.normal(size=(2, *case.shape)).astype(dtype)
    return x, delta, random.integers(0, max(case.labels, 1), case.shape[:-1])


def ours(case: Case, dtype: str) -> Callable[[], list[Any]]:
    from deltawire_layers import load_layers

    layer = load_layers()[case.kind](**case.config)
    x, delta, labels = arrays(case, dtype)
    inputs = (x, labels) if case.labels else (x,)
    if case.labels:
        delta = np.ones(len(x), dtype)
    random = np.random.default_rng(1)
    owned = layer.parameters(*(each.shape[1:] for each in inputs))
    params = {
        name: random.normal(size=owned[name].shape).astype(dtype)
        for name in ("weight", "bias")
        if name in owned
    }

    def call() -> list[Any]:
        value, deltas, grads, signal = layer.forward(params, *inputs)
        shared = signal(delta)
        return [value, deltas[0](shared), *(equation(shared) for equation in grads.values())]

    return call


def without_kernels(case: Case, dtype: str) -> Callable[[], list[Any]]:
    from deltawire_layers import kernels

    kernels.compiled = None
    return ours(case, dtype)


def torchs(case: Case, dtype: str) -> Callable[[], list[Any]]:
    import torch

    torch.set_num_threads(1)
    x, delta, labels = (torch.from_numpy(array) for array in arrays(case, dtype))
    random = np.random.default_rng(1)
    from deltawire_layers import load_layers

    owned = load_layers()[case.kind](**case.config).parameters(case.shape[1:], *[()] * bool(case.labels))
    w, b = (
        torch.from_numpy(random.normal(size=owned[name].shape).astype(dtype)).requires_grad_()
        if name in owned
        else None
        for name in ("weight", "bias")
    )
    x.requires_grad_()
    wanted = [each for each in (x, w, b) if each is not None]
    scope = {"x": x, "w": w, "b": b, "labels": labels, "torch": torch, "F": torch.nn.functional}
    forward = eval(f"lambda: {case.torch}", scope)

    def call() -> list[Any]:
        value = forward()
        below = torch.autograd.grad(value, wanted, None if case.labels else delta)
        return [value.detach(), *below]

    return call


PREPARE = {"ours": ours, "numpy": without_kernels, "torch": torchs}


def work(engine: str, dtype: str, seconds: float) -> None:
    """Answer the names of cases with the median time of a call, in milliseconds, and some of its numbers."""
    processes.set_up("torch" if engine == "torch" else "ours", 1)
    for line in sys.stdin:
        call = PREPARE[engine](CASES[line.strip()], dtype)
        results = [np.asarray(result, float).ravel() for result in call()]
        shown = [
            result.sum() if result.size < 8 else float(result[:: result.size // 8].sum())
            for result in results
        ]
        taken: list[float] = []
        start = perf_counter()
        while len(taken) < 5 or perf_counter() - start < seconds:
            begin = perf_counter()
            call()
            taken.append(perf_counter() - begin)
        print(json.dumps({"ms": 1e3 * median(taken), "shown": shown[1:]}), flush=True)


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=lambda text: text.split(","), default=list(CASES))
    parser.add_argument("--dtypes", type=lambda text: text.split(","), default=["float32", "float64"])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.3)
    options = parser.parse_args()
    print(machine(["torch"]))
    for dtype in options.dtypes:
        programs = {
            name: Program(["-m", "benchmarks.layers", "--work", name, dtype, str(options.seconds)])
            for name in ENGINES
        }
        rows, ratios = [], []
        for name, answers in side_by_side(programs, options.layers, options.pairs).items():
            for engine in ("ours", "numpy"):
                np.testing.assert_allclose(
                    answers[engine][0]["shown"],
                    answers["torch"][0]["shown"],
                    rtol=1e-3 if dtype == "float32" else 1e-9,
                    atol=1e-3,
                )
            ratios.append(ratio(answers, "ours", "torch"))
            milliseconds = [number(median(times(answers, engine))) for engine in ENGINES]
            rows.append([name, *milliseconds, number(ratio(answers, "numpy", "torch")), number(ratios[-1])])
        print(f"\n{dtype}, 1 thread\n")
        head = ["layer", "ours, ms", "numpy alone, ms", "torch, ms", "numpy / torch", "ours / torch"]
        print(table(head, rows))
        print(f"\nGeometric mean of ours / torch: {number(geometric_mean(ratios))}")


if __name__ == "__main__":
    if "--work" in sys.argv:
        work(sys.argv[2], sys.argv[3], float(sys.argv[4]))
    else:
        main()
