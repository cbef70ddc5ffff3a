"""Arguments of a layer drawn from a family of hard numbers, and its results by the layer and by torch."""

from __future__ import annotations

from itertools import count
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from support.hard_numbers import Family
from support.torch_kinds import Kind
from support.torch_layers import torch

from deltawire_layers import Layer
from deltawire_layers.numeric import branches

Results = dict[str, np.ndarray]

DRAWS = 12


class Arguments:
    """The arguments of a layer: parameters, inputs and δ of the value."""

    def __init__(self, params: dict[str, np.ndarray], inputs: list[np.ndarray], delta: np.ndarray):
        self.params, self.inputs, self.delta = params, inputs, delta

    @property
    def count(self) -> int:
        """The number of arrays."""
        return len(self.params) + len(self.inputs) + 1

    def map(self, change: Any, only: int | None = None) -> Arguments:
        """Return the arguments with every array of floats changed, or only one of all arrays."""
        number = count()

        def each(array: np.ndarray) -> np.ndarray:
            chosen = next(number) == only or only is None
            return change(array) if chosen and array.dtype.kind == "f" else array

        return Arguments(
            {name: each(w) for name, w in self.params.items()}, list(map(each, self.inputs)), each(self.delta)
        )


def drawn(kind: Kind, family: Family, layer: Layer, dtype: Any) -> Arguments:
    """Return hard inputs, and parameters and a δ that are not."""
    limits = np.finfo(dtype)
    stream = np.random.default_rng(crc32(kind.name.encode()))
    shapes = kind.shapes(family.places)
    inputs = []
    for position, shape in enumerate(shapes):
        wanted = kind.ranges.get(position)
        if isinstance(wanted, range):
            inputs.append(stream.integers(wanted.start, wanted.stop, (family.batch, *shape)))
            continue
        with np.errstate(all="ignore"):
            x = family.draw(stream, (family.batch, *shape), limits).astype(dtype)
        if wanted == "positive":
            x = np.maximum(np.abs(x), limits.smallest_normal)
        if wanted == "unit":
            x = np.clip(np.abs(x), 0, 1)
        inputs.append(x)
    params = {
        name: stream.uniform(-1, 1, parameter.shape).astype(dtype)
        for name, parameter in layer.parameters(*shapes).items()
    }
    delta = stream.standard_normal((family.batch, *layer.output_shape(*shapes))).astype(dtype)
    return Arguments(params, inputs, delta)


def ours(layer: Layer, given: Arguments) -> Results:
    activation = layer.forward(given.params, *given.inputs)
    signal = activation.signal(given.delta)
    results = {"value": activation.value}
    results |= {f"δ of {i}": equation(signal) for i, equation in enumerate(activation.deltas) if equation}
    return results | {name: equation(signal) for name, equation in activation.grads.items()}


def by_torch(function: Any, given: Arguments) -> Results:
    tensors = [torch.tensor(x, requires_grad=x.dtype.kind == "f") for x in given.inputs]
    named = {name: torch.tensor(w, requires_grad=True) for name, w in given.params.items()}
    value = function(*tensors, **named)
    value.backward(torch.tensor(given.delta))
    results = {"value": value.detach().numpy()}
    leaves = {f"δ of {i}": t for i, t in enumerate(tensors) if t.requires_grad} | named
    return results | {
        name: np.zeros(leaf.shape) if leaf.grad is None else leaf.grad.numpy()
        for name, leaf in leaves.items()
    }


def spreads(right_of: Any, exact: Arguments, right: Results, ulp: float, places: int) -> Results:
    """Return how far one unit of the last place of the arguments moves each result.

    Each array of arguments moves by itself, every number up or down at random. Few draws find how far a few
    numbers move a result together; n of them move it up to √n times as far as draws find.
    """
    stream = np.random.default_rng(0)
    total = {name: np.zeros(array.shape, array.dtype) for name, array in right.items()}
    for which in range(exact.count):
        farthest = {name: np.zeros(array.shape, array.dtype) for name, array in right.items()}
        for _ in range(DRAWS):
            moved = exact.map(lambda x: x * (1 + ulp * stream.choice([-1.0, 1.0], x.shape)), which)
            for name, array in right_of(moved).items():
                far = np.abs(array - right[name])
                farthest[name] = np.fmax(farthest[name], np.where(np.isfinite(far), far, 0))
        for name, far in farthest.items():
            total[name] += far * max(1, places / 3) ** 0.5
    return total


def in_long_double(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let layers compute in long double, for which `choose` has no patterns of bits."""
    choose = branches.choose

    def chosen(condition: np.ndarray, yes: float, no: float, like: np.ndarray) -> np.ndarray:
        if like.dtype != np.longdouble:
            return choose(condition, yes, no, like)
        return np.where(condition, np.longdouble(yes), np.longdouble(no))

    monkeypatch.setattr(branches, "choose", chosen)
