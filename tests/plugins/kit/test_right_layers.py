"""The kit lets every right layer pass: the built-in ones, and harder ones, with every seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf, prod, sqrt
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support.layers import BUILT_IN

from deltawire_layers import Activation, Layer, Parameter, check_layer
from deltawire_layers.initializers import fan_in, ones
from deltawire_layers.numeric import analytic, branches
from deltawire_layers.numeric.sums import rows

Array = NDArray[Any]
Shape = tuple[int, ...]
Params = Mapping[str, Array]


# One line a case: kind, config, shapes of the inputs.
CASES: list[tuple[str, dict[str, Any], list[Shape]]] = [
    ("add", {}, [(3,)]),
    ("add", {}, [(2,), (2,), (2,)]),
    ("concat", {}, [(2,), (3,)]),
    ("concat", {"axis": 0}, [(2, 2), (1, 2)]),
    ("dot", {}, [(3,), (3,)]),
    ("dot", {}, [(2, 3), (2, 3)]),
    ("embedding", {"rows": 4, "width": 2}, [(3,)]),
    ("embedding", {"rows": 1, "width": 1}, [()]),
    ("exp", {}, [(2,)]),
    ("flatten", {}, [(2, 3)]),
    ("flatten", {}, [()]),
    ("identity", {}, [(2,)]),
    ("linear", {"units": 2}, [(3,)]),
    ("linear", {"units": 2, "bias": False}, [(2, 2)]),
    ("log_softmax", {}, [(4,)]),
    ("log_softmax", {}, [(2, 1)]),
    ("max_margin", {}, [(), ()]),
    ("max_margin", {"margin": 0}, [(3,), (3,)]),
    ("maximum", {}, [(3,), (3,)]),
    ("maximum", {}, [(), ()]),
    ("multiply", {}, [(2, 2), (2, 2)]),
    ("negate", {}, [(2,)]),
    ("nll", {}, [(3,), ()]),
    ("nll", {}, [(2, 2), (2,)]),
    ("reciprocal", {}, [(3,)]),
    ("relu", {}, [(3,)]),
    ("sigmoid", {}, [()]),
    ("sigmoid", {}, [(2, 3)]),
    ("slice", {"start": 1}, [(3,)]),
    ("slice", {"axis": 0, "stop": -1}, [(3, 2)]),
    ("softmax", {}, [(4,)]),
    ("softmax", {}, [(2, 1)]),
    ("softmax_nll", {}, [(3,), ()]),
    ("softmax_nll", {}, [(2, 2), (2,)]),
    ("squared_error", {}, [(3,), (3,)]),
    ("squared_error", {}, [(), ()]),
    ("subtract", {}, [(2,), (2,)]),
    ("sum", {}, [(2, 3)]),
    ("sum", {"axes": [0]}, [(2, 3)]),
    ("sum", {}, [()]),
    ("tanh", {}, [(2,)]),
]
SEEDS = 60


@pytest.mark.parametrize(("kind", "config", "shapes"), CASES, ids=[f"{k}-{c}-{s}" for k, c, s in CASES])
def test_every_built_in_layer_passes_with_every_seed(
    kind: str, config: dict[str, Any], shapes: list[Shape]
) -> None:
    layer = BUILT_IN[kind](**config)
    for seed in range(SEEDS):
        check_layer(layer, *shapes, seed=seed)


# Layers whose own tests take more shapes, configurations and seeds through the kit.
FURTHER: list[tuple[str, dict[str, Any], list[Shape]]] = [
    ("attention", {}, [(3, 2), (4, 2), (4, 3)]),
    ("avg_pool2d", {"kernel": 2}, [(1, 4, 4)]),
    ("batch_norm", {}, [(3,), (3,), (3,)]),
    ("binary_nll", {}, [(3,), (3,)]),
    ("conv1d", {"channels": 2, "kernel": 2}, [(2, 4)]),
    ("conv2d", {"channels": 2, "kernel": 2, "padding": 1}, [(1, 3, 3)]),
    ("cosine_distance", {}, [(3,), (3,)]),
    ("divide", {}, [(3,), (3,)]),
    ("dropout_mask", {}, [(3,), (3,)]),
    ("elman", {"units": 2}, [(3, 2)]),
    ("elu", {}, [(3,)]),
    ("gelu", {}, [(3,)]),
    ("group_norm", {"groups": 2}, [(4, 2)]),
    ("gru", {"units": 2}, [(3, 2)]),
    ("huber", {}, [(3,), (3,)]),
    ("kl_divergence", {}, [(3,), (3,)]),
    ("layer_norm", {}, [(4,)]),
    ("leaky_relu", {}, [(3,)]),
    ("log", {}, [(3,)]),
    ("lstm", {"units": 2}, [(3, 2)]),
    ("matmul", {}, [(2, 3), (3, 2)]),
    ("max", {}, [(3,)]),
    ("max_pool2d", {"kernel": 2}, [(1, 4, 4)]),
    ("mean", {}, [(2, 3)]),
    ("minimum", {}, [(3,), (3,)]),
    ("multi_head_attention", {"heads": 2}, [(3, 4), (3, 4), (3, 4)]),
    ("power", {"exponent": 3}, [(3,)]),
    ("reshape", {"shape": [3, 2]}, [(2, 3)]),
    ("rms_norm", {}, [(4,)]),
    ("scale", {}, [(3,)]),
    ("shift", {}, [(3,)]),
    ("silu", {}, [(3,)]),
    ("softplus", {}, [(3,)]),
    ("sqrt", {}, [(3,)]),
    ("transpose", {}, [(2, 3)]),
]


@pytest.mark.parametrize(("kind", "config", "shapes"), FURTHER, ids=[kind for kind, _, _ in FURTHER])
def test_every_further_layer_passes(kind: str, config: dict[str, Any], shapes: list[Shape]) -> None:
    for seed in range(3):
        check_layer(BUILT_IN[kind](**config), *shapes, seed=seed)


def test_no_layer_is_left_out() -> None:
    assert set(BUILT_IN) == {kind for kind, _, _ in CASES + FURTHER}


EMPTY: list[tuple[str, dict[str, Any], list[Shape]]] = [
    ("add", {}, [(0,), (0,)]),
    ("concat", {}, [(0,), (2,)]),
    ("dot", {}, [(2, 0), (2, 0)]),
    ("embedding", {"rows": 2, "width": 2}, [(0,)]),
    ("flatten", {}, [(0, 3)]),
    ("linear", {"units": 2}, [(0,)]),
    ("linear", {"units": 2}, [(0, 3)]),
    ("relu", {}, [(0,)]),
    ("softmax", {}, [(0, 2)]),
    ("softmax_nll", {}, [(0, 2), (0,)]),
    ("squared_error", {}, [(0,), (0,)]),
    ("sum", {}, [(0,)]),
]


@pytest.mark.parametrize(("kind", "config", "shapes"), EMPTY, ids=[f"{k}-{s}" for k, _, s in EMPTY])
def test_axes_without_places_pass(kind: str, config: dict[str, Any], shapes: list[Shape]) -> None:
    check_layer(BUILT_IN[kind](**config), *shapes)


# Right layers that are harder than the built-in ones.


class OneInput(Layer):
    """y = f(x), of the shape of x (...)."""

    def output_shape(self, x: Shape) -> Shape:
        return x


def pointwise(
    value: Callable[[Array], Array],
    slope: Callable[[Array], Array],
    domain: tuple[float, float] = (-inf, inf),
) -> type[Layer]:
    """A layer of a function and its derivative."""

    class Pointwise(OneInput):
        """y = f(x), number by number."""

        elementwise = True

        def forward(self, params: Params, x: Array) -> Activation:
            return Activation(value(x), deltas=(lambda delta: delta * slope(x),))

    Pointwise.domain = domain
    return Pointwise


class Attention(Layer):
    """y = softmax(q kᵀ / √n) v, for q (a, n), k (b, n), v (b, m): a signal that three equations share."""

    def output_shape(self, q: Shape, k: Shape, v: Shape) -> Shape:
        return (q[0], v[1])

    def saved(self, q: Shape, k: Shape, v: Shape) -> int:
        return q[0] * k[0]

    def forward(self, params: Params, q: Array, k: Array, v: Array) -> Activation:
        root = sqrt(q.shape[-1])
        p = analytic.softmax(q @ k.swapaxes(1, 2) / root)

        def signal(delta: Array) -> tuple[Array, Array]:
            through = delta @ v.swapaxes(1, 2)
            return delta, p * (through - (p * through).sum(axis=-1, keepdims=True)) / root

        return Activation(
            p @ v,
            deltas=(
                lambda signal: signal[1] @ k,
                lambda signal: signal[1].swapaxes(1, 2) @ q,
                lambda signal: p.swapaxes(1, 2) @ signal[0],
            ),
            signal=signal,
        )


class TwoLayers(OneInput):
    """y = V relu(W x), for x (n,), W (4, n), V (n, 4): all its kinks meet at x = 0."""

    def parameters(self, x: Shape) -> dict[str, Parameter]:
        return {"W": Parameter((4, *x), fan_in(*x)), "V": Parameter((*x, 4), fan_in(4))}

    def saved(self, x: Shape) -> int:
        return 8

    def forward(self, params: Params, x: Array) -> Activation:
        W, V = params["W"], params["V"]
        z = x @ W.T
        hidden = branches.relu(z)
        return Activation(
            hidden @ V.T,
            deltas=(lambda signal: signal[1] @ W,),
            grads={"W": lambda signal: signal[1].T @ x, "V": lambda signal: signal[0].T @ hidden},
            signal=lambda delta: (delta, (delta @ V) * (z.real > 0)),
        )


class ParametricRelu(OneInput):
    """y = max(0, x) + s min(0, x), for x (...) and one s (): a gradient that sums over kinks."""

    def parameters(self, x: Shape) -> dict[str, Parameter]:
        return {"s": Parameter((), ones)}

    def forward(self, params: Params, x: Array) -> Activation:
        s = params["s"]
        return Activation(
            np.where(x.real > 0, x, s * x),
            deltas=(lambda delta: np.where(x.real > 0, delta, s * delta),),
            grads={"s": lambda delta: np.asarray((delta * np.where(x.real > 0, 0, x)).sum())},
        )


class LayerNorm(OneInput):
    """y = (x − mean) / √(variance + 1e-5) · g, for x and g (n,): steep where all entries are equal."""

    def parameters(self, x: Shape) -> dict[str, Parameter]:
        return {"g": Parameter(x, ones)}

    def saved(self, x: Shape) -> int:
        return x[0] + 1

    def forward(self, params: Params, x: Array) -> Activation:
        g = params["g"]
        centred = x - x.mean(axis=-1, keepdims=True)
        scale = analytic.power((centred * centred).mean(axis=-1, keepdims=True) + 1e-5, -0.5)
        y = centred * scale

        def x_delta(delta: Array) -> Array:
            d = delta * g
            return scale * (d - d.mean(axis=-1, keepdims=True) - y * (d * y).mean(axis=-1, keepdims=True))

        return Activation(y * g, deltas=(x_delta,), grads={"g": lambda delta: (delta * y).sum(axis=0)})


class Elman(Layer):
    """hₜ = tanh(W hₜ₋₁ + U xₜ), for x (T, n), h (T, 2): runs back through time in its signal."""

    def output_shape(self, x: Shape) -> Shape:
        return (x[0], 2)

    def parameters(self, x: Shape) -> dict[str, Parameter]:
        return {"W": Parameter((2, 2), fan_in(2)), "U": Parameter((2, x[1]), fan_in(x[1]))}

    def saved(self, x: Shape) -> int:
        return 2 * (x[0] + 1)

    def forward(self, params: Params, x: Array) -> Activation:
        W, U = params["W"], params["U"]
        h = np.zeros((len(x), x.shape[1] + 1, 2), x.dtype)
        for t in range(x.shape[1]):
            h[:, t + 1] = analytic.tanh(h[:, t] @ W.T + x[:, t] @ U.T)

        def signal(delta: Array) -> Array:
            through = np.zeros_like(delta)
            later = np.zeros_like(delta[:, 0])
            for t in reversed(range(x.shape[1])):
                through[:, t] = (delta[:, t] + later) * (1 - h[:, t + 1] ** 2)
                later = through[:, t] @ W
            return through

        return Activation(
            h[:, 1:],
            deltas=(lambda signal: signal @ U,),
            grads={"W": lambda s: rows(s).T @ rows(h[:, :-1]), "U": lambda s: rows(s).T @ rows(x)},
            signal=signal,
        )


class WinnerTakesAll(Layer):
    """y = max x over the last axis; among equals the first one takes all of δ."""

    def output_shape(self, x: Shape) -> Shape:
        return x[:-1]

    def saved(self, x: Shape) -> int:
        return 2 * prod(x[:-1])

    def forward(self, params: Params, x: Array) -> Activation:
        winner = x.real.argmax(axis=-1)[..., None]

        def x_delta(delta: Array) -> Array:
            whole = np.zeros(x.shape, delta.dtype)
            np.put_along_axis(whole, winner, delta[..., None], axis=-1)
            return whole

        return Activation(np.take_along_axis(x, winner, axis=-1)[..., 0], deltas=(x_delta,))


RIGHT: dict[str, tuple[Layer, list[Shape]]] = {
    "attention": (Attention(), [(3, 2), (4, 2), (4, 3)]),
    "two layers": (TwoLayers(), [(3,)]),
    "parametric relu": (ParametricRelu(), [(3,)]),
    "layer norm": (LayerNorm(), [(4,)]),
    "elman": (Elman(), [(3, 2)]),
    "winner takes all": (WinnerTakesAll(), [(2, 3)]),
    "log": (pointwise(analytic.log, lambda x: 1 / x, (0, inf))(), [(3,)]),
    "log between narrow bounds": (pointwise(analytic.log, lambda x: 1 / x, (0, 1e-7))(), [(3,)]),
    "log to the left": (pointwise(lambda x: analytic.log(2 - x), lambda x: 1 / (x - 2), (-inf, 2))(), [(3,)]),
    "logit": (
        pointwise(lambda x: analytic.log(x / (1 - x)), lambda x: 1 / (x * (1 - x)), (0, 1))(),
        [(3,)],
    ),
    "sine": (pointwise(lambda x: np.sin(9 * x), lambda x: 9 * np.cos(9 * x))(), [(3,)]),
    "staircase": (pointwise(lambda x: np.floor(x.real).astype(x.dtype), np.zeros_like)(), [(3,)]),
    "gelu": (
        pointwise(
            lambda x: x * analytic.erfc(-x / sqrt(2)) / 2,
            lambda x: analytic.erfc(-x / sqrt(2)) / 2 + x * analytic.exp(-x * x / 2) / sqrt(2 * np.pi),
        )(),
        [(3,)],
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_other_right_layers_pass_with_every_seed(name: str) -> None:
    layer, shapes = RIGHT[name]
    for seed in range(SEEDS // 3):
        check_layer(layer, *shapes, seed=seed)
