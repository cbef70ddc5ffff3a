"""Random networks as functions of one vector, for oracles that differentiate these: HIPS autograd and jax.

The vector has the parameters and the data of floating-point numbers, in the order of `Flat.shapes`.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from support.engine import compiled
from support.networks import Example
from support.oracles import kinds_of, rows_of, total


class Flat:
    """An example, and numbers by place (`params/w`, `data/x`) in and out of one vector."""

    def __init__(self, example: Example):
        self.example = example
        self.arrays = {f"params/{name}": array for name, array in example.params.items()}
        self.arrays |= {
            f"data/{name}": array for name, array in example.data.items() if array.dtype != np.int64
        }
        self.shapes = {place: array.shape for place, array in self.arrays.items()}
        self.at = self.joined(self.arrays)
        self.rows = rows_of(example)

    def joined(self, arrays: dict[str, np.ndarray]) -> np.ndarray:
        return np.concatenate([np.zeros(0), *(np.ravel(arrays[place]) for place in self.shapes)])

    def split(self, vector: Any, leading: tuple[int, ...] = ()) -> dict[str, Any]:
        """The arrays in the last axis of a vector."""
        found, start = {}, 0
        for place, shape in self.shapes.items():
            found[place] = vector[..., start : start + prod(shape)].reshape((*leading, *shape))
            start += prod(shape)
        return found

    def drawn(self, rng: np.random.Generator, *leading: int) -> dict[str, np.ndarray]:
        """Random directions, by place."""
        return {place: rng.standard_normal((*leading, *shape)) for place, shape in self.shapes.items()}

    def values(self, xp: Any, bare: bool = False) -> Callable[[Any], tuple[Any, Any, dict[str, Any]]]:
        """The reduced loss, the losses and the values of all nodes, in the functions of a module like numpy.

        bare: without the regularization.
        """
        spec = {**self.example.spec}
        if bare:
            spec.pop("regularization", None)
        example = Example(spec, self.example.params, self.example.data, self.example.reduction)
        kinds = kinds_of(xp)
        integers = {name: array for name, array in example.data.items() if array.dtype == np.int64}

        def compute(vector: Any) -> tuple[Any, Any, dict[str, Any]]:
            arrays = self.split(vector)
            params = {n.partition("/")[2]: a for n, a in arrays.items() if n.startswith("params/")}
            data = {n.partition("/")[2]: a for n, a in arrays.items() if n.startswith("data/")}
            return total(
                example, params, {**data, **integers}, {}, kinds,
                lambda x, rows: xp.stack([x] * rows), lambda w: xp.sum(w * w),
            )  # fmt: skip

        return compute


def outputs_of(example: Example, rng: np.random.Generator, most: int = 3) -> list[str]:
    """Some nodes of the network."""
    names = list(compiled(example.spec).nodes)
    return [str(name) for name in rng.choice(names, min(most, len(names)), replace=False)]
