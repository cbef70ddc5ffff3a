"""The kit lets every right layer pass, and catches what breaks rules 2, 3, 5 and 6."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, prod, sqrt
from typing import Any

import numpy as np
import pytest
from support.broken_layers import Array, Broken, OneInput, Params, Twice, TwoInputs, WithWeight
from support.layers import BUILT_IN, FEW_SEEDS, SEEDS

from deltawire_layers import (
    Activation,
    Formula,
    Layer,
    LayerError,
    Parameter,
    Shape,
    check_layer,
)
from deltawire_layers.initializers import fan_in, ones
from deltawire_layers.numeric import analytic, branches
from deltawire_layers.numeric.sums import rows

broken = Broken()


# Rule 2: examples are independent.


@broken(2, "value", (3,))
class BatchMeanSubtracted(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(x - x.mean(axis=0), deltas=(lambda delta: delta - delta.mean(axis=0),))


@broken(2, "value", (3,))
class PlaceInBatch(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        place = np.arange(len(x), dtype=x.dtype)[:, None]
        return Activation(x * place, deltas=(lambda delta: delta * place,))


@broken(2, "δ of input 0", (3,))
class DeltaMixesExamples(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(2 * x, deltas=(lambda delta: 2 * delta - delta.mean(axis=0),))


@broken(2, "δ of input 0", (3,))
class DeltaAveraged(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(2 * x, deltas=(lambda delta: 2 * delta / len(delta),))


@broken(2, "gradient of 'bias'", (3,))
class GradientAveraged(WithWeight):
    def forward(self, params: Params, x: Array) -> Activation:
        activation = super().forward(params, x)
        return activation._replace(grads={**activation.grads, "bias": lambda delta: delta.mean(axis=0)})


# Rule 3: only what is asked.


@broken(3, "δ of input 1", (3,), (3,))
class ForgottenDelta(TwoInputs):
    def forward(self, params: Params, a: Array, b: Array) -> Activation:
        return Activation(a + b, deltas=(lambda delta: delta,))


@broken(3, "δ of input 1", (3,), (3,))
class ForgottenDeltaOfAnUnusedInput(TwoInputs):
    def forward(self, params: Params, a: Array, b: Array) -> Activation:
        return Activation(2 * a, deltas=(lambda delta: 2 * delta,))


@broken(3, "δ of input 1", (3,))
class OneDeltaTooMany(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(2 * x, deltas=(lambda delta: 2 * delta, lambda delta: delta))


@broken(3, "δ of input 1", (3,), (3,))
class NoneThoughItMatters(TwoInputs):
    def forward(self, params: Params, a: Array, b: Array) -> Activation:
        return Activation(a + b, deltas=(lambda delta: delta, None))


@broken(3, "δ of input 0", (2,))
class DeltaOfIntegers(OneInput):
    def integer_inputs(self, x: Shape) -> dict[int, range]:
        return {0: range(3)}

    def parameters(self, x: Shape) -> dict[str, Parameter]:
        return {"table": Parameter((3,), ones)}

    def forward(self, params: Params, x: Array) -> Activation:
        def table(delta: Array) -> Array:
            return np.stack([(delta * (x == row)).sum() for row in range(3)])

        return Activation(params["table"][x], deltas=(lambda delta: 0 * delta,), grads={"table": table})


@broken(3, "gradient of 'bias'", (3,))
class MissingBiasGradient(WithWeight):
    def forward(self, params: Params, x: Array) -> Activation:
        activation = super().forward(params, x)
        return activation._replace(grads={"weight": activation.grads["weight"]})


@broken(3, "gradient of 'slope'", (3,))
class GradientOfNoParameter(WithWeight):
    def forward(self, params: Params, x: Array) -> Activation:
        activation = super().forward(params, x)
        return activation._replace(grads={**activation.grads, "slope": lambda delta: delta.sum(axis=0)})


@broken(3, "gradient of 'bias'", (3,))
class LeansOnAnotherEquation(WithWeight):
    def forward(self, params: Params, x: Array) -> Activation:
        computed = {}

        def weight(delta: Array) -> Array:
            computed["bias"] = delta.sum(axis=0)
            return delta.T @ x

        activation = super().forward(params, x)
        return activation._replace(grads={"weight": weight, "bias": lambda delta: computed["bias"] * 1})


@broken(3, "gradient of 'weight'", (3,))
class LeansOnAnyOtherEquation(WithWeight):
    def forward(self, params: Params, x: Array) -> Activation:
        W, called = params["weight"], []

        def x_delta(delta: Array) -> Array:
            called.append("δ of input 0")
            return delta @ W

        def bias(delta: Array) -> Array:
            called.append("bias")
            return delta.sum(axis=0)

        activation = super().forward(params, x)
        return activation._replace(
            deltas=(x_delta,),
            grads={"weight": lambda delta: delta.T @ x * bool(called), "bias": bias},
        )


@broken(1, "gradient of 'bias'", (3,))
class SpoilsTheSignal(WithWeight):
    def forward(self, params: Params, x: Array) -> Activation:
        def bias(signal: Array) -> Array:
            signal *= 2
            return signal.sum(axis=0) / 2

        activation = super().forward(params, x)
        return activation._replace(
            grads={**activation.grads, "bias": bias}, signal=lambda delta: delta.copy()
        )


@broken(3, "forward", (3,))
class NoActivation(OneInput):
    def forward(self, params: Params, x: Array) -> Any:
        return 2 * x, lambda delta: 2 * delta


# Rule 5: shapes first.


@broken(5, "value", (3,))
class WrongOutputShape(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(x.sum(axis=-1), deltas=(lambda delta: delta[:, None] + 0 * x,))


@broken(5, "output_shape", (3,))
class ListAsShape(OneInput):
    def output_shape(self, x: Shape) -> Any:
        return list(x)


@broken(5, "work", (3,))
class NumberAsWork(OneInput):
    def work(self, x: Shape) -> Any:
        return 3


@broken(5, "δ of input 0", (3,))
class WrongDeltaShape(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(2 * x, deltas=(lambda delta: 2 * delta[:, :1],))


@broken(5, "gradient of 'bias'", (3,))
class WrongGradientShape(WithWeight):
    def forward(self, params: Params, x: Array) -> Activation:
        activation = super().forward(params, x)
        return activation._replace(
            grads={**activation.grads, "bias": lambda delta: delta.sum(axis=0, keepdims=True)}
        )


@broken(5, "gradient of 'scale'", (3,))
class NumberAsGradient(OneInput):
    def parameters(self, x: Shape) -> dict[str, Parameter]:
        return {"scale": Parameter((), ones)}

    def forward(self, params: Params, x: Array) -> Activation:
        s = params["scale"]
        return Activation(
            s * x,
            deltas=(lambda delta: s * delta,),
            grads={"scale": lambda delta: float((delta * x).sum().real)},
        )


@broken(5, "value", (3,))
class UndeclaredParameter(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(x * params["scale"], deltas=(lambda delta: delta * params["scale"],))


@broken(5, "parameter 'weight'", (3,))
class BareShape(WithWeight):
    def parameters(self, x: Shape) -> Any:
        return {"weight": (*x, *x)}


@broken(5, "parameter 'a.b'", (3,))
class DottedName(OneInput):
    def parameters(self, x: Shape) -> dict[str, Parameter]:
        return {"a.b": Parameter(x, ones)}


@broken(5, "parameter 'bias'", (3,))
class FirstNumbersOfAnotherShape(WithWeight):
    def parameters(self, x: Shape) -> dict[str, Parameter]:
        return {"bias": Parameter(x, lambda stream, shape: np.ones((1, *shape)))}


@broken(5, "parameter 'bias'", (3,))
class FirstNumbersFromNowhere(WithWeight):
    def parameters(self, x: Shape) -> dict[str, Parameter]:
        return {"bias": Parameter(x, lambda stream, shape: np.random.default_rng().random(shape))}


@broken(5, "integer_inputs", (3,))
class NoIntegers(OneInput):
    def integer_inputs(self, x: Shape) -> dict[int, range]:
        return {0: range(0)}


@broken(5, "elementwise", (3,))
class RunningSum(OneInput):
    elementwise = True

    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(x.cumsum(axis=-1), deltas=(lambda delta: delta[:, ::-1].cumsum(axis=-1)[:, ::-1],))


@broken(5, "elementwise", (3,))
class ElementwiseOfAnotherShape(Layer):
    elementwise = True

    def output_shape(self, x: Shape) -> Shape:
        return ()


# Rule 6: documented by formula.


@broken(6, "docstring", (3,))
class Undocumented(Twice):
    pass


@broken(6, "docstring", (3,))
class WithoutFormula(Twice):
    """Twice the input.

    y = 2x
    """


@broken(6, "formula", (3,))
class TooManyFormulas(Twice):
    """y = 2x."""

    formula = Formula(r"2\,{x0}", (r"2\,{delta}", r"{delta}"))


@broken(6, "formula", (3,))
class NoFormulaOfGradient(WithWeight):
    """y = W x + b."""

    formula = Formula(r"{weight}\,{x0} + {bias}", (r"{weight}^\top {delta}",), {"bias": "{delta}"})


@broken(6, "formula", (3,))
class UnknownPlaceholder(Twice):
    """y = 2x."""

    formula = Formula(r"2\,{x1}", (r"\operatorname{twice}({delta})",))


@broken(6, "formula", (3,))
class MistypedPlaceholder(Twice):
    """y = 2x."""

    formula = Formula(r"2\,{x0}", (r"2\,{detla}",))


@broken(6, "formula", (3,))
class InitOfNoParameter(Twice):
    """y = 2 x."""

    formula = Formula(r"2\,{x0}", (r"2\,{delta}",), init={"weight": "0"})


test_a_broken_layer_is_caught_and_named = broken.test()


def test_a_wrong_number_of_shapes_is_the_callers_mistake() -> None:
    with pytest.raises(TypeError, match=r"Twice takes 1 input \(x\), got 2 shapes"):
        check_layer(Twice(), (3,), (3,))


def test_shapes_that_the_layer_refuses_are_the_callers_mistake() -> None:
    class Picky(Twice):
        def output_shape(self, x: Shape) -> Shape:
            raise LayerError("expected something else", input=0)

    with pytest.raises(LayerError, match="something else"):
        check_layer(Picky(), (3,))


def test_overflow_is_no_mistake() -> None:
    class Square(OneInput):
        """y = x² in float32's range, ∞ beyond."""

        def forward(self, params: Params, x: Array) -> Activation:
            huge = np.where(np.fabs(x.real) > 50, np.inf, 1).astype(x.dtype)
            return Activation(x * x * huge, deltas=(lambda delta: 2 * delta * x,))

    check_layer(Square(), (1,))


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


@pytest.mark.parametrize(("kind", "config", "shapes"), CASES, ids=[f"{k}-{c}-{s}" for k, c, s in CASES])
def test_every_built_in_layer_passes_with_every_seed(
    kind: str, config: dict[str, Any], shapes: list[Shape]
) -> None:
    layer = BUILT_IN[kind](**config)
    for seed in SEEDS:
        check_layer(layer, *shapes, seed=seed)


# Layers whose own tests take more shapes, configurations and seeds through the kit.
FURTHER: list[tuple[str, dict[str, Any], list[Shape]]] = [
    ("abs", {}, [(3,)]),
    ("absolute_error", {}, [(3,), (3,)]),
    ("adaptive_avg_pool1d", {"size": 2}, [(3,)]),
    ("adaptive_avg_pool2d", {"size": 2}, [(3, 3)]),
    ("adaptive_max_pool1d", {"size": 2}, [(3,)]),
    ("adaptive_max_pool2d", {"size": 2}, [(3, 3)]),
    ("affine", {"scale": -2.5, "shift": 0.5}, [(3,)]),
    ("attention", {}, [(3, 2), (4, 2), (4, 3)]),
    ("avg_pool1d", {"kernel": 2, "ceil_mode": True}, [(2, 5)]),
    ("avg_pool2d", {"kernel": 2}, [(1, 4, 4)]),
    ("batch_norm", {}, [(3,), (3,), (3,)]),
    ("binary_nll", {}, [(3,), (3,)]),
    ("clip", {"low": -1, "high": 0.5}, [(3,)]),
    ("conv1d", {"channels": 2, "kernel": 2}, [(2, 4)]),
    ("conv2d", {"channels": 2, "kernel": 2, "padding": 1}, [(1, 3, 3)]),
    ("conv_transpose1d", {"channels": 2, "kernel": 2}, [(2, 3)]),
    ("conv_transpose2d", {"channels": 2, "kernel": 2, "stride": 2}, [(1, 2, 2)]),
    ("cos", {}, [(3,)]),
    ("cosine_distance", {}, [(3,), (3,)]),
    ("cumsum", {}, [(3,)]),
    ("divide", {}, [(3,), (3,)]),
    ("dropout_mask", {}, [(3,), (3,)]),
    ("einsum", {"equation": "ij,jk->ik"}, [(2, 3), (3, 2)]),
    ("elman", {"units": 2}, [(3, 2)]),
    ("elu", {}, [(3,)]),
    ("erf", {}, [(3,)]),
    ("expand", {"shape": [2, 3]}, [(1, 3)]),
    ("flip", {}, [(3,)]),
    ("focal", {}, [(3,), (3,)]),
    ("gaussian_nll", {}, [(3,), (3,), (3,)]),
    ("gelu", {}, [(3,)]),
    ("glu", {}, [(4,)]),
    ("group_norm", {"groups": 2}, [(4, 2)]),
    ("gru", {"units": 2}, [(3, 2)]),
    ("hardsigmoid", {}, [(3,)]),
    ("hardswish", {}, [(3,)]),
    ("huber", {}, [(3,), (3,)]),
    ("instance_norm", {}, [(2, 3)]),
    ("kl_divergence", {}, [(3,), (3,)]),
    ("layer_norm", {}, [(4,)]),
    ("leaky_relu", {}, [(3,)]),
    ("log", {}, [(3,)]),
    ("log", {"low": -0.5}, [(3,)]),
    ("logsumexp", {}, [(2, 3)]),
    ("lstm", {"units": 2}, [(3, 2)]),
    ("masked_fill", {"value": -2}, [(3,), (3,)]),
    ("matmul", {}, [(2, 3), (3, 2)]),
    ("max", {}, [(3,)]),
    ("max_pool1d", {"kernel": 2}, [(2, 5)]),
    ("max_pool2d", {"kernel": 2}, [(1, 4, 4)]),
    ("mean", {}, [(2, 3)]),
    ("min", {}, [(3,)]),
    ("minimum", {}, [(3,), (3,)]),
    ("mish", {}, [(3,)]),
    ("multi_head_attention", {"heads": 2}, [(3, 4), (3, 4), (3, 4)]),
    ("norm", {}, [(2, 3)]),
    ("pad", {"widths": [[1, 2]], "mode": "reflect"}, [(3,)]),
    ("pixel_shuffle", {"factor": 2}, [(4, 1, 2)]),
    ("poisson_nll", {}, [(3,), (3,)]),
    ("power", {"exponent": 3}, [(3,)]),
    ("prelu", {}, [(3,)]),
    ("reshape", {"shape": [3, 2]}, [(2, 3)]),
    ("rms_norm", {}, [(4,)]),
    ("roll", {"shifts": [1], "axes": [0]}, [(3,)]),
    ("rotary", {}, [(2, 4)]),
    ("scale", {}, [(3,)]),
    ("shift", {}, [(3,)]),
    ("silu", {}, [(3,)]),
    ("sin", {}, [(3,)]),
    ("smooth_l1", {"beta": 0.5}, [(3,), (3,)]),
    ("softplus", {}, [(3,)]),
    ("sqrt", {}, [(3,)]),
    ("take", {}, [(3,), (2,)]),
    ("take_along_axis", {}, [(3,), (2,)]),
    ("transpose", {}, [(2, 3)]),
    ("triplet", {}, [(3,), (3,), (3,)]),
    ("upsample", {"size": [3]}, [(2,)]),
    ("variance", {}, [(2, 3)]),
    ("where", {}, [(3,), (3,), (3,)]),
]


@pytest.mark.parametrize(("kind", "config", "shapes"), FURTHER, ids=[kind for kind, _, _ in FURTHER])
def test_every_further_layer_passes(kind: str, config: dict[str, Any], shapes: list[Shape]) -> None:
    for seed in range(3):
        check_layer(BUILT_IN[kind](**config), *shapes, seed=seed)


def test_no_layer_is_left_out() -> None:
    assert set(BUILT_IN) == {kind for kind, _, _ in CASES + FURTHER}


@pytest.mark.parametrize("shape", [(0,), (2, 0), [3], (3.0,), (True,), 3])
def test_what_is_no_shape_is_the_callers_mistake(shape: Any) -> None:
    """The service takes no axis without places either."""
    with pytest.raises(TypeError, match="is no shape"):
        check_layer(Twice(), shape)


# Right layers that are harder than the built-in ones.


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
    for seed in FEW_SEEDS:
        check_layer(layer, *shapes, seed=seed)
