"""Layers made of a function, for tables of right and of broken ones, and the tests of such tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest
from support.broken_layers import Array, OneInput, TwoInputs, caught
from support.layers import SEEDS

from deltawire_layers import Activation, Layer, Parameter, Shape, check_layer
from deltawire_layers.initializers import fan_in, ones


class Case(NamedTuple):
    """A broken layer, tried on shapes; the rule and the closure that the kit has to name."""

    rule: int
    closure: str
    layer: Layer
    shapes: tuple[Shape, ...] = ((3,),)


def made(forward: Callable[..., Any], base: type[Layer] = OneInput, **members: Any) -> Layer:
    """A layer whose forward pass is a function of the parameters and the inputs."""

    def run(self: Layer, params: Any, *inputs: Array) -> Any:
        return forward(params, *inputs)

    return type("Made", (base,), {"__doc__": "y = f(x).", "forward": run, **members})()


def of_one(value: Callable[[Array], Any], delta: Callable[[Array, Array], Any], **members: Any) -> Layer:
    """A layer of one input, by its value and its equation."""
    return made(lambda params, x: Activation(value(x), (lambda d: delta(x, d),)), **members)


def pointwise(value: Callable[[Array], Any], slope: Callable[[Array], Any], **members: Any) -> Layer:
    """A layer of a function and its derivative, number by number."""
    return made(lambda params, x: Activation(value(x), deltas=(lambda delta: delta * slope(x),)), **members)


def two(value: Callable[..., Any], a_slope: Callable[..., Any], b_slope: Callable[..., Any]) -> Layer:
    """A layer of two inputs of one shape, number by number."""
    return made(
        lambda params, a, b: Activation(
            value(a, b), deltas=(lambda delta: delta * a_slope(a, b), lambda delta: delta * b_slope(a, b))
        ),
        TwoInputs,
    )


def scaled(
    value: Callable[..., Any], x_slope: Callable[..., Any], w_slope: Callable[..., Any], **more: Any
) -> Layer:
    """A layer of one input and one scalar parameter w, number by number."""

    def forward(params: Mapping[str, Array], x: Array) -> Activation:
        w = params["w"]
        return Activation(
            value(x, w),
            deltas=(lambda delta: delta * x_slope(x, w),),
            grads={"w": lambda delta: np.asarray((delta * w_slope(x, w)).sum())},
        )

    return made(forward, parameters=lambda self, x: {"w": Parameter((), ones)}, **more)


def twice(**parts: Any) -> Layer:
    """The layer y = 2x with parts of its Activation replaced."""
    right: dict[str, Any] = {"deltas": (lambda delta: 2 * delta,)}
    return made(lambda params, x: Activation(**({"value": 2 * x} | right | parts)))


class Lookup(OneInput):
    """y = W[i], for whole i (...). `add` adds δ to the rows of the gradient that were looked up."""

    def __init__(self, add: Callable[[Array, Array, Array], None]) -> None:
        super().__init__()
        self.add = add

    def output_shape(self, x: Shape) -> Shape:
        return (*x, 2)

    def parameters(self, x: Shape) -> dict[str, Parameter]:
        return {"W": Parameter((5, 2), fan_in(5))}

    def integer_inputs(self, x: Shape) -> dict[int, range]:
        return {0: range(5)}

    def forward(self, params: Any, x: Array) -> Activation:
        def gradient(delta: Array) -> Array:
            total = np.zeros((5, 2), delta.dtype)
            self.add(total, x, delta)
            return total

        return Activation(params["W"][x], (None,), {"W": gradient})


def broken_test(cases: Mapping[str, Case]) -> Callable[..., None]:
    """Return the test that the kit catches and names every one of some broken layers."""

    @pytest.mark.parametrize("name", cases)
    def test_a_broken_layer_is_caught_and_named(name: str) -> None:
        rule, closure, layer, shapes = cases[name]
        for seed in SEEDS:
            error = caught(layer, *shapes, seed=seed)
            assert (error.rule, error.closure) == (rule, closure), str(error)

    return test_a_broken_layer_is_caught_and_named


def right_test(layers: Mapping[str, tuple[Layer, tuple[Shape, ...]]]) -> Callable[..., None]:
    """Return the test that the kit accuses none of some right layers."""

    @pytest.mark.parametrize("name", layers)
    def test_a_right_layer_passes(name: str) -> None:
        layer, shapes = layers[name]
        for seed in SEEDS:
            check_layer(layer, *shapes, seed=seed)

    return test_a_right_layer_passes
