"""Layers that break one rule of the contract each, and what the kit has to say of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from deltawire_layers import Activation, ConformanceError, Layer, Parameter, Shape, check_layer
from deltawire_layers.initializers import fan_in, ones

Array = np.ndarray[Any, np.dtype[Any]]
Params = Mapping[str, Array]


class OneInput(Layer):
    """y = f(x), of the shape of x (...)."""

    def output_shape(self, x: Shape) -> Shape:
        return x


class TwoInputs(Layer):
    """y = f(a, b), of the shape of a and b (...)."""

    def output_shape(self, a: Shape, b: Shape) -> Shape:
        return a


class WithWeight(OneInput):
    """y = W x + b, for x and b (n,), W (n, n)."""

    def parameters(self, x: Shape) -> dict[str, Parameter]:
        return {"weight": Parameter((*x, *x), fan_in(*x)), "bias": Parameter(x, ones)}

    def forward(self, params: Params, x: Array) -> Activation:
        W = params["weight"]
        return Activation(
            x @ W.T + params["bias"],
            deltas=(lambda delta: delta @ W,),
            grads={"weight": lambda delta: delta.T @ x, "bias": lambda delta: delta.sum(axis=0)},
        )


class Twice(OneInput):
    """y = 2x, for x (...)."""

    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(2 * x, deltas=(lambda delta: 2 * delta,))


class Broken:
    """Broken layers of one test file, each with the rule and the closure the kit has to name."""

    def __init__(self) -> None:
        self._cases: list[tuple[int, str, Layer, tuple[Shape, ...]]] = []

    def __call__(self, rule: int, closure: str, *shapes: Shape) -> Callable[[type[Layer]], type[Layer]]:
        """Register a class, tried on inputs of these shapes."""

        def register(layer: type[Layer]) -> type[Layer]:
            self._cases.append((rule, closure, layer(), shapes))
            return layer

        return register

    def test(self) -> Callable[..., None]:
        """Return the test that the kit catches and names every layer registered so far."""
        names = [type(layer).__name__ for _, _, layer, _ in self._cases]

        @pytest.mark.parametrize("case", self._cases, ids=names)
        @pytest.mark.parametrize("seed", [0, 1, 2])
        def test_a_broken_layer_is_caught_and_named(case: Any, seed: int) -> None:
            rule, closure, layer, shapes = case
            error = caught(layer, *shapes, seed=seed)
            assert (error.rule, error.closure) == (rule, closure), str(error)

        return test_a_broken_layer_is_caught_and_named


def caught(layer: Layer, *shapes: Shape, seed: int = 0) -> ConformanceError:
    """Return the error of the kit for a broken layer."""
    with pytest.raises(ConformanceError) as error:
        check_layer(layer, *shapes, seed=seed)
    return error.value
