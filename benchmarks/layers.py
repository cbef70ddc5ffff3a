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
    batch: int
    inputs: tuple[tuple[int, ...], ...]
    """Shapes of an example's inputs."""
    torch: str
    """A call of torch, with x the first input, a all of them, p parameters by name, F torch.nn.functional."""
    integers: int = 0
    """What the last input counts up to: classes, or rows of a table."""
    shared: int = 0
    """How many of the last inputs are shared by all examples: means, variances, masks."""


IMAGES, PLACES = (64, 28, 28), (128, 256)
RECURRENT = "[p[f'{part}_{of}'] for part in ('weight', 'bias') for of in ('ih', 'hh')]"
HEADS = ((8, 128, 64),) * 3
ATTENTION = "F.scaled_dot_product_attention"
WEIGHTS = "x, p['weight'], p['bias']"


def elementwise(kind: str, torch: str, **config: Any) -> Case:
    return Case(kind, config, 512, ((1024,),), torch)


def convolution(kernel: int, **options: int) -> Case:
    options = {"padding": kernel // 2} | options
    named = ", ".join(f"{name}={number}" for name, number in options.items())
    config = {"channels": 64, "kernel": kernel} | options
    return Case("conv2d", config, 8, (IMAGES,), f"F.conv2d({WEIGHTS}, {named})")


CASES = {
    "gelu": elementwise("gelu", "F.gelu(x)"),
    "gelu by tanh": elementwise("gelu", "F.gelu(x, approximate='tanh')", approximate="tanh"),
    "sigmoid": elementwise("sigmoid", "torch.sigmoid(x)"),
    "tanh": elementwise("tanh", "torch.tanh(x)"),
    "silu": elementwise("silu", "F.silu(x)"),
    "softplus": elementwise("softplus", "F.softplus(x)"),
    "softmax": Case("softmax", {}, 2048, ((256,),), "F.softmax(x, -1)"),
    "softmax_nll": Case("softmax_nll", {}, 2048, ((256,), ()), "F.cross_entropy(*a, reduction='none')", 256),
    "layer_norm": Case("layer_norm", {}, 64, (PLACES,), "F.layer_norm(x, (256,), p['weight'], p['bias'])"),
    "rms_norm": Case("rms_norm", {}, 64, (PLACES,), "F.rms_norm(x, (256,), p['weight'], 1e-5)"),
    "group_norm": Case(
        "group_norm", {"groups": 8}, 16, (IMAGES,), "F.group_norm(x, 8, p['weight'], p['bias'])"
    ),
    "instance_norm": Case(
        "instance_norm", {}, 16, (IMAGES,), "F.instance_norm(x, weight=p['weight'], bias=p['bias'])"
    ),
    "batch_norm": Case(
        "batch_norm", {}, 16, (IMAGES, (64,), (64,)), "F.batch_norm(*a, p['weight'], p['bias'])", shared=2
    ),
    "max_pool2d": Case("max_pool2d", {"kernel": 2}, 16, (IMAGES,), "F.max_pool2d(x, 2)"),
    "avg_pool2d": Case("avg_pool2d", {"kernel": 2}, 16, (IMAGES,), "F.avg_pool2d(x, 2)"),
    "embedding": Case(
        "embedding", {"rows": 4096, "width": 256}, 64, ((128,),), "F.embedding(x, p['weight'])", 4096
    ),
    "depthwise 3×3": convolution(3, groups=64),
    "conv 1×1": convolution(1),
    "conv 3×3": convolution(3),
    "conv 7×7/2": convolution(7, stride=2),
    "conv transposed": Case(
        "conv_transpose2d", {"channels": 32, "kernel": 2, "stride": 2}, 8, (IMAGES,),
        f"F.conv_transpose2d({WEIGHTS}, stride=2)",
    ),
    "lstm": Case(
        "lstm", {"units": 128}, 32, ((32, 128),),
        f"torch.lstm(x, (zero, zero), {RECURRENT}, True, 1, 0.0, False, False, True)[0]",
    ),
    "gru": Case(
        "gru", {"units": 128}, 32, ((32, 128),),
        f"torch.gru(x, zero, {RECURRENT}, True, 1, 0.0, False, False, True)[0]",
    ),
    "attention, causal": Case(
        "attention", {"causal": True}, 8, HEADS, f"{ATTENTION}(*a, is_causal=True)"
    ),
    "attention, masked": Case(
        "attention", {}, 8, (*HEADS, (128, 128)), f"{ATTENTION}(*a[:3], a[3].bool())", 2, shared=1
    ),
}  # fmt: skip
ENGINES = ("ours", "numpy", "torch")


class Numbers(NamedTuple):
    """The numbers of a case: the same for all engines."""

    inputs: list[Any]
    params: dict[str, Any]
    delta: Any


def numbers_of(case: Case, dtype: str) -> Numbers:
    """Draw the inputs, the parameters and δ of the value."""
    from deltawire_layers import load_layers

    random = np.random.default_rng(0)
    layer = load_layers()[case.kind](**case.config)
    inputs = []
    for place, shape in enumerate(case.inputs):
        is_shared = place >= len(case.inputs) - case.shared
        size = shape if is_shared else (case.batch, *shape)
        if case.integers and place == len(case.inputs) - 1:
            inputs.append(random.integers(0, case.integers, size))
        elif is_shared:
            inputs.append(random.uniform(0.5, 2, size=size).astype(dtype))
        else:
            inputs.append(random.normal(size=size).astype(dtype))
    params = {
        name: 0.2 * random.normal(size=each.shape).astype(dtype)
        for name, each in layer.parameters(*case.inputs).items()
    }
    delta = random.normal(size=(case.batch, *layer.output_shape(*case.inputs))).astype(dtype)
    return Numbers(inputs, params, delta)


def ours(case: Case, dtype: str) -> Callable[[], list[Any]]:
    from deltawire_layers import load_layers
    from deltawire_service.server.malloc import keep_memory

    keep_memory()  # as the service's workers are set up
    layer = load_layers()[case.kind](**case.config)
    given, params, delta = numbers_of(case, dtype)
    inputs = [
        np.broadcast_to(array, (case.batch, *array.shape)) if place >= len(given) - case.shared else array
        for place, array in enumerate(given)
    ]
    wanted = differentiated(case)

    def call() -> list[Any]:
        value, deltas, grads, signal = layer.forward(params, *inputs)
        shared = signal(delta)
        sent = [deltas[place] for place in wanted]
        return [value, *(equation(shared) for equation in (*sent, *grads.values()) if equation)]

    return call


def differentiated(case: Case) -> range:
    """Return the places of the inputs that get a δ: those of floats, one for each example."""
    return range(len(case.inputs) - max(case.shared, bool(case.integers)))


def without_kernels(case: Case, dtype: str) -> Callable[[], list[Any]]:
    from deltawire_layers import kernels

    kernels.compiled = None
    return ours(case, dtype)


def torchs(case: Case, dtype: str) -> Callable[[], list[Any]]:
    import torch

    torch.set_num_threads(1)
    given, drawn, delta = numbers_of(case, dtype)
    a = [torch.from_numpy(array) for array in given]
    p = {name: torch.from_numpy(array).requires_grad_() for name, array in drawn.items()}
    wanted = [a[place].requires_grad_() for place in differentiated(case)] + list(p.values())
    zero = torch.zeros(1, case.batch, delta.shape[-1], dtype=getattr(torch, dtype))
    scope = {"x": a[0], "a": a, "p": p, "zero": zero, "torch": torch, "F": torch.nn.functional}
    forward = eval(f"lambda: {case.torch}", scope)
    above = torch.from_numpy(delta)

    def call() -> list[Any]:
        value = forward()
        return [value.detach(), *torch.autograd.grad(value, wanted, above)]

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
            name: Program(
                ["-m", "benchmarks.layers", "--work", name, dtype, str(options.seconds)],
                variables=processes.variables(name, 1),
            )
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
