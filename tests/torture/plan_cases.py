"""Requests for every kind of layer, in 125 shapes each, over all routes and media types."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import product
from math import isqrt
from typing import Any, NamedTuple

import numpy as np

from deltawire import wire
from deltawire_layers import load_layers
from deltawire_service.engine import Network, compile_network

LEVELS = range(5)
"""Of each of the three axes: 125 shapes."""

MEDIA = ("lists", "base64", wire.SAFETENSORS)
"""The ways of a body: JSON with lists, JSON with base64, binary."""

LAYERS = load_layers()

Input = tuple[tuple[int, ...], str]
Shapes = tuple[list[Input], dict[str, Any]]


class Case(NamedTuple):
    """A request, and how its body and its answer are written."""

    kind: str
    route: str
    sent: str
    answered: str
    document: dict[str, Any]

    def __str__(self) -> str:
        inputs = [each["shape"] for each in self.document["network"]["inputs"].values()]
        node = next(each for each in self.document["network"]["nodes"] if each["name"] == "y")
        config = {"thin": True} if node["inputs"][0] == "h0" else {}
        config |= node["config"]
        options = {
            key: value
            for key, value in self.document.items()
            if key not in ("network", "params", "data", "cotangents", "tangents", "vectors", "tensors")
        }
        batch = len(next(iter(self.document.get("data", {"": ()}).values())))
        return (
            f"{self.route} {self.kind} {inputs} × {batch} {config} {options} "
            f"{self.sent.split('.')[-1]} → {self.answered.split('.')[-1]}"
        )


def floats(*shapes: tuple[int, ...], **config: Any) -> Shapes:
    return [(shape, "float") for shape in shapes], config


def square(a: int, b: int) -> int:
    return isqrt(a * b) or 1


def image(a: int, b: int) -> tuple[int, int, int]:
    return a, isqrt(b) or 1, isqrt(b) or 1


def sequence(a: int, b: int) -> tuple[int, int, int]:
    """Places of queries and of keys, and the width: scores take about as much as the rest."""
    places = max(1, min(a, square(a, b)))
    return places, places, max(1, min(b, a * b // places))


def conv(a: int, b: int, dice: random.Random, **more: Any) -> dict[str, Any]:
    groups = dice.choice([1, a] if a <= 32 else [a])
    return {"channels": max(groups, 1), "groups": groups} | more


def attention(a: int, b: int, dice: random.Random) -> Shapes:
    n, m, d = sequence(a, b)
    return floats((n, d), (m, d), (m, d), causal=dice.random() < 0.5)


def multi_head(a: int, b: int, dice: random.Random) -> Shapes:
    n, m, d = sequence(a, b)
    d = min(d, 256)
    return floats((n, d), (m, d), (m, d), heads=dice.choice([h for h in (1, 2, 4) if d % h == 0]))


def recurrent(a: int, b: int, dice: random.Random) -> Shapes:
    steps = min(a, 64)
    options = {name: dice.random() < 0.3 for name in ("reverse", "last")}
    return floats((steps, min(b * a // steps, 512)), units=min(b, 256), **options)


def linear(a: int, b: int, dice: random.Random) -> Shapes:
    return floats((a, min(b, 2048)), units=dice.choice([1, min(b, 2048), 2 * min(b, 1024)]))


def conv1d(a: int, b: int, dice: random.Random) -> Shapes:
    return floats((a, b + 2), **conv(a, b, dice, kernel=dice.choice([1, 2, 3]), padding=1))


def conv2d(a: int, b: int, dice: random.Random) -> Shapes:
    return floats(image(a, b), **conv(a, b, dice, kernel=dice.choice([1, 3]), padding=1))


def pool(a: int, b: int, dice: random.Random) -> Shapes:
    kernel = dice.choice([1, 2, 3])
    return floats(image(a, max(b, 9)), kernel=kernel, stride=dice.choice([1, kernel]))


def pool1d(a: int, b: int, dice: random.Random) -> Shapes:
    kernel = dice.choice([1, 2, 3])
    return floats((a, max(b, 3)), kernel=kernel, stride=dice.choice([1, kernel]), ceil_mode=True)


def embedding(a: int, b: int, dice: random.Random) -> Shapes:
    return [((a,), "int64")], {"rows": dice.choice([10, 1000]), "width": max(1, min(b, 2048))}


def labelled(a: int, b: int, dice: random.Random) -> Shapes:
    config = dice.choice([{}, {"ignore_index": 0}, {"class_weights": [0.5] * b}])
    return [((a, b), "float"), ((a,), "int64")], config


ONE: Callable[[int, int, random.Random], Shapes] = lambda a, b, dice: floats((a, b))  # noqa: E731
TWO: Callable[[int, int, random.Random], Shapes] = lambda a, b, dice: floats((a, b), (a, b))  # noqa: E731

SHAPES: dict[str, Callable[[int, int, random.Random], Shapes]] = {
    **dict.fromkeys(LAYERS, ONE),
    **dict.fromkeys(
        [
            *("absolute_error", "focal", "poisson_nll", "smooth_l1"),
            *("add", "concat", "binary_nll", "cosine_distance", "divide", "dot", "huber", "kl_divergence"),
            *("max_margin", "maximum", "minimum", "multiply", "squared_error", "subtract"),
        ],
        TWO,
    ),
    **dict.fromkeys(["conv1d"], conv1d),
    **dict.fromkeys(["conv2d"], conv2d),
    **dict.fromkeys(["elman", "gru", "lstm"], recurrent),
    **dict.fromkeys(["avg_pool2d", "max_pool2d"], pool),
    **dict.fromkeys(["avg_pool1d", "max_pool1d"], pool1d),
    **dict.fromkeys(
        ["adaptive_avg_pool1d", "adaptive_max_pool1d"],
        lambda a, b, dice: floats((a, b), size=dice.choice([1, min(b, 7)])),
    ),
    **dict.fromkeys(
        ["adaptive_avg_pool2d", "adaptive_max_pool2d"],
        lambda a, b, dice: floats(image(a, b), size=dice.choice([1, min(isqrt(b) or 1, 7)])),
    ),
    **dict.fromkeys(["nll", "softmax_nll"], labelled),
    "attention": attention,
    "multi_head_attention": multi_head,
    "linear": linear,
    "embedding": embedding,
    "batch_norm": lambda a, b, dice: floats((a, b), (a,), (a,)),
    **dict.fromkeys(["gaussian_nll", "triplet"], lambda a, b, dice: floats((a, b), (a, b), (a, b))),
    "einsum": lambda a, b, dice: floats((a, min(b, 512)), (min(b, 512), min(b, 512)), equation="ij,jk->ik"),
    "rotary": lambda a, b, dice: floats((a, 2 * b), interleaved=dice.choice([False, True])),
    "conv_transpose1d": lambda a, b, dice: floats((a, b), **conv(a, b, dice, kernel=2, stride=2)),
    "conv_transpose2d": lambda a, b, dice: floats(image(a, b), **conv(a, b, dice, kernel=2, stride=2)),
    "upsample": lambda a, b, dice: floats(
        image(a, b), size=[2 * (isqrt(b) or 1)] * 2, mode=dice.choice(["nearest", "linear"])
    ),
    "expand": lambda a, b, dice: floats((a, 1), shape=[a, b]),
    "pad": lambda a, b, dice: floats((a, b), widths=[[1, 0]], mode=dice.choice(["constant", "replicate"])),
    "take": lambda a, b, dice: ([((a, b), "float"), ((dice.choice([1, b]),), "int64")], {}),
    "take_along_axis": lambda a, b, dice: ([((a, b), "float"), ((a, b), "int64")], {}),
    "roll": lambda a, b, dice: floats((a, b), shifts=[1], axes=[dice.choice([0, 1])]),
    "pixel_shuffle": lambda a, b, dice: floats((4 * a, *image(a, b)[1:]), factor=dice.choice([1, 2])),
    "where": lambda a, b, dice: (
        [((dice.choice([1, a]), b), "int64"), ((a, b), "float"), ((a, b), "float")],
        {},
    ),
    "masked_fill": lambda a, b, dice: (
        [((a, b), "float"), ((dice.choice([1, a]), b), "int64")],
        {"value": -2},
    ),
    "min": lambda a, b, dice: floats((a, b), axis=dice.choice([0, 1])),
    **dict.fromkeys(
        ["logsumexp", "norm", "variance"],
        lambda a, b, dice: floats((a, b), axes=dice.choice([[0], [1], [0, 1]])),
    ),
    "cumsum": lambda a, b, dice: floats((a, b), axis=dice.choice([0, 1])),
    "glu": lambda a, b, dice: floats((a, 2 * b)),
    "group_norm": lambda a, b, dice: floats((a, b), groups=dice.choice([1, a])),
    "dropout_mask": lambda a, b, dice: ([((a, b), "float"), ((a, b), "int64")], {}),
    "matmul": lambda a, b, dice: floats((a, min(b, 512)), (min(b, 512), min(b, 512))),
    "power": lambda a, b, dice: floats((a, b), exponent=1.5),
    "reshape": lambda a, b, dice: floats((a, b), shape=[b, a]),
    "slice": lambda a, b, dice: floats((a, b), axis=dice.choice([0, 1]), stop=1),
    "max": lambda a, b, dice: floats((a, b), axis=dice.choice([0, 1])),
    "mean": lambda a, b, dice: floats((a, b), axes=dice.choice([[0], [1], [0, 1]])),
    "sum": lambda a, b, dice: floats((a, b), axes=dice.choice([[0], [1], [0, 1]])),
}

ROUTES = (
    *("gradients", "forward", "vjp", "jvp", "hvp", "diagonal", "per_example", "jacobian", "check"),
    *("init", "several_vjp", "several_jvp", "several_hvp", "loss_by_parameters"),
)


def cases(kind: str, seed: int, numbers: int) -> Iterator[Case]:
    """Yield 125 requests for a kind.

    Args:
        kind: the kind of layer.
        seed: what the shapes' configs, routes and options are drawn from.
        numbers: how many numbers the largest array of a request has, about.
    """
    dice = random.Random(f"{seed}/{kind}")
    deck = list(product(ROUTES, MEDIA, MEDIA))
    dice.shuffle(deck)
    for place, (i, j, k) in enumerate(product(LEVELS, LEVELS, LEVELS)):
        power = numbers.bit_length() - 1
        total = max(1, i + j + k)
        a, b, batch = (max(1, 2 ** round(power * each / total) - dice.choice([0, 1])) for each in (i, j, k))
        yield case(kind, *deck[place % len(deck)], shape=(a, b, batch), dice=dice)


def case(
    kind: str, route: str, sent: str, answered: str, shape: tuple[int, int, int], dice: random.Random
) -> Case:
    a, b, batch = shape
    inputs, config = SHAPES[kind](a, b, dice)
    thin = dice.random() < 0.5
    spec: dict[str, Any] = {"inputs": {}, "nodes": []}
    sources = []
    for place, (each, dtype) in enumerate(inputs):
        sources.append(f"x{place}")
        if thin and dtype == "float":
            # What the layer computes with is neither in the body nor in the answer.
            spec["nodes"].append(
                {"name": f"h{place}", "kind": "linear", "inputs": sources[-1:], "config": {"units": each[-1]}}
            )
            sources[-1], each = f"h{place}", (*each[:-1], 1)
        spec["inputs"][f"x{place}"] = {"shape": list(each), "dtype": dtype}
    spec["nodes"].append({"name": "y", "kind": kind, "inputs": sources, "config": config})
    loss = "y"
    if compile_network(spec, LAYERS).nodes["y"].shape:
        spec["nodes"].append({"name": "loss", "kind": "sum", "inputs": ["y"]})
        loss = "loss"
    network = compile_network(spec | {"loss": loss}, LAYERS)
    if route == "init" and not network.parameters:
        route = "gradients"
    dtype = dice.choice(["float32", "float64"])
    document = {"network": spec, "dtype": dtype, "tensors": "base64" if answered == "base64" else "lists"}
    if route != "init":
        document |= tensors(network, batch, dtype)
        document |= options(route, network, document, loss, dice)
        if sent != "lists" and "non_finite" in document:
            spoil(document["data"])
    return Case(kind, route, sent, answered, document)


def tensors(network: Network, batch: int, dtype: str) -> dict[str, Any]:
    """Numbers on which every layer is defined."""
    numbers = np.random.default_rng(0)
    return {
        "params": {
            name: numbers.uniform(0.1, 0.9, each.shape).astype(dtype)
            for name, each in network.parameters.items()
        },
        "data": {
            name: numbers.integers(
                0, 1 + (each.ranges is None or each.ranges[-1].stop > 1), (batch, *each.shape)
            )
            if each.dtype == "int64"
            else numbers.uniform(0.1, 0.9, (batch, *each.shape)).astype(dtype)
            for name, each in network.inputs.items()
        },
    }


def spoil(data: dict[str, Any]) -> None:
    """Put one number that is not finite into the first input of floats."""
    for array in data.values():
        if array.dtype.kind == "f":
            array.flat[0] = np.nan
            return


def options(
    route: str, network: Network, document: dict[str, Any], loss: str, dice: random.Random
) -> dict[str, Any]:
    data, params = document["data"], document["params"]
    batch = len(next(iter(data.values())))
    by = [name for name in network.float_inputs if dice.random() < 0.7 or not network.parameters]
    wrt = {"params": dice.random() < 0.8, "data": by}
    values = [name for name in ("y",) if dice.random() < 0.5]
    returned = {"non_finite": "return"} if dice.random() < 0.3 else {}
    several = (2,) if route.startswith("several_") else ()
    y = network.nodes["y"].shape
    moved = {
        "params": {name: np.ones((*several, *each.shape), each.dtype) for name, each in params.items()},
        "data": {name: np.ones((*several, *data[name].shape), data[name].dtype) for name in by},
    }
    match route.removeprefix("several_"):
        case "gradients":
            deltas = [name for name in ("y",) if dice.random() < 0.5]
            return {"wrt": wrt, "values": values, "deltas": deltas, "losses": True} | returned
        case "per_example":
            return {"wrt": wrt, "values": values, "per_example": True} | returned
        case "forward":
            return {"values": ["y"]} | returned
        case "vjp":
            cotangents = {"y": np.ones((*several, batch, *y), document["dtype"])}
            return {"wrt": wrt, "values": values, "cotangents": cotangents} | returned
        case "jvp":
            return {"outputs": ["y"], "tangents": moved} | returned
        case "hvp":
            return {"vectors": moved, "quadratic": dice.random() < 0.5} | returned
        case "diagonal":
            return {"diagonal": {"samples": 2}, "wrt": wrt}
        case "jacobian":
            return {"outputs": [loss], "wrt": wrt, "mode": "reverse"} | returned
        case "loss_by_parameters":
            return {"outputs": [loss], "wrt": {"params": True, "data": False}, "mode": "reverse"} | returned
        case _:
            return {"wrt": wrt, "samples": 1, "deltas": ["y"]}
