"""The kit catches every way we know of breaking the contract, and names it: rule, closure and place."""

from __future__ import annotations

import pickle
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from deltawire_layers import Activation, ConformanceError, Formula, Layer, LayerError, Parameter, check_layer
from deltawire_layers.initializers import fan_in, ones
from deltawire_layers.numeric import analytic, branches

Array = NDArray[Any]
Shape = tuple[int, ...]
Params = Mapping[str, Array]
Case = tuple[int, str, Layer, list[Shape]]

BROKEN: list[Case] = []


def broken(rule: int, closure: str, *shapes: Shape) -> Callable[[type[Layer]], type[Layer]]:
    """Register a broken layer, with the rule and the closure the kit must name for inputs of these shapes."""

    def register(layer: type[Layer]) -> type[Layer]:
        BROKEN.append((rule, closure, layer(), list(shapes)))
        return layer

    return register


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


# Rule 1: pure.


@broken(1, "self.x", (3,))
class StateOnSelf(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        self.x = x
        return Activation(x * x, deltas=(lambda delta: 2 * delta * self.x,))


@broken(1, "self.seen", (3,))
class StateOnClass(OneInput):
    seen: ClassVar[dict[str, Array]] = {}

    def forward(self, params: Params, x: Array) -> Activation:
        self.seen["x"] = x
        return Activation(x * x, deltas=(lambda delta: 2 * delta * x,))


BUFFERS: dict[Any, Array] = {}


def buffer(like: Array) -> Array:
    """One array for each shape and dtype, given out again and again."""
    return BUFFERS.setdefault((like.shape, like.dtype), np.empty_like(like))


@broken(1, "value", (3,))
class ScratchBufferForValue(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(np.multiply(x, 2, out=buffer(x)), deltas=(lambda delta: 2 * delta,))


@broken(1, "δ of input 0", (3,))
class ScratchBufferForDelta(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(2 * x, deltas=(lambda delta: np.multiply(delta, 2, out=buffer(delta)),))


@broken(1, "δ of input 0", (3,))
class ScratchBufferForSaved(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        square = np.multiply(x, x, out=buffer(x))
        return Activation(x * square, deltas=(lambda delta: 3 * delta * square,))


@broken(1, "value", (3,))
class WrittenInput(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        x *= 2
        return Activation(x, deltas=(lambda delta: 2 * delta,))


@broken(1, "value", (3,))
class UnlockedInput(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        if x.flags.owndata:
            x.flags.writeable = True
            x *= 2
            return Activation(x, deltas=(lambda delta: 2 * delta,))
        return Activation(2 * x, deltas=(lambda delta: 2 * delta,))


@broken(1, "gradient of 'weight'", (3,))
class WrittenParameter(WithWeight):
    def forward(self, params: Params, x: Array) -> Activation:
        def step(delta: Array) -> Array:
            gradient = delta.T @ x
            W = params["weight"]
            W -= 0.1 * gradient
            return gradient

        activation = super().forward(params, x)
        return activation._replace(grads={**activation.grads, "weight": step})


@broken(1, "value", (3,))
class ReplacedParameter(WithWeight):
    def forward(self, params: Any, x: Array) -> Activation:
        params["weight"] = params["weight"] / 2
        return super().forward(params, x)


@broken(1, "δ of input 0", (3,))
class WrittenDelta(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        def x_delta(delta: Array) -> Array:
            delta *= 2
            return delta

        return Activation(2 * x, deltas=(x_delta,))


@broken(1, "signal", (3,))
class WrittenDeltaInSignal(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        def signal(delta: Array) -> Array:
            delta *= 2
            return delta

        return Activation(2 * x, deltas=(lambda signal: signal,), signal=signal)


@broken(1, "value", (3,))
class WrittenSavedValue(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        y = analytic.sigmoid(x)
        return Activation(y, deltas=(lambda delta: delta * np.multiply(y, 1 - y, out=y),))


@broken(1, "δ of input 0", (3,))
class WrittenSavedArray(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        slope = 2 * x
        return Activation(x * x, deltas=(lambda delta: np.multiply(slope, delta, out=slope),))


@broken(1, "value", (3,))
class RandomValue(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        mask = np.random.default_rng().random(x.shape) > 0.5
        return Activation(x * mask, deltas=(lambda delta: delta * mask,))


@broken(1, "δ of input 0", (3,))
class RandomDelta(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(
            x * 1, deltas=(lambda delta: delta * (np.random.default_rng().random(x.shape) > 0.5),)
        )


@broken(1, "δ of input 0", (3,))
class SecondCallDiffers(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        slopes = [2 * x]
        return Activation(x * x, deltas=(lambda delta: delta * (slopes.pop() if slopes else 1),))


@broken(1, "δ of input 0", (3,))
class NotForThreads(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        saved = {}

        def x_delta(delta: Array) -> Array:
            saved["delta"] = delta
            time.sleep(1e-4)  # as a long computation does, which lets other threads run
            return 2 * saved["delta"]

        return Activation(2 * x, deltas=(x_delta,))


@broken(1, "value", (2, 3))
class OnlyOneLayout(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(x.ravel(order="K").reshape(x.shape) * 1, deltas=(lambda delta: delta,))


@broken(1, "value", (2, 3))
class OnlyWithRowsOfTheirOwn(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(x * min(1, x.strides[0]), deltas=(lambda delta: delta,))


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


@broken(3, "gradient of 'bias'", (3,))
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


# Rule 4: analytic.


@broken(4, "δ of input 0", (3,))
class WrongSign(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(-x, deltas=(lambda delta: delta,))


@broken(4, "gradient of 'weight'", (3,))
class TransposedWeightGradient(WithWeight):
    def forward(self, params: Params, x: Array) -> Activation:
        activation = super().forward(params, x)
        return activation._replace(grads={**activation.grads, "weight": lambda delta: x.T @ delta})


@broken(4, "δ of input 0", (3,))
class TransposedWeight(WithWeight):
    def forward(self, params: Params, x: Array) -> Activation:
        return super().forward(params, x)._replace(deltas=(lambda delta: delta @ params["weight"].T,))


@broken(4, "δ of input 0", (3,))
class DeltaOffByOnePlace(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(2 * x, deltas=(lambda delta: 2 * np.roll(delta, 1, axis=-1),))


@broken(4, "δ of input 0", (3,), (3,))
class SwappedEquations(TwoInputs):
    def forward(self, params: Params, a: Array, b: Array) -> Activation:
        return Activation(a * b, deltas=(lambda delta: delta * a, lambda delta: delta * b))


@broken(4, "δ of input 1", (3,), (3,))
class OneWrongOfTwo(TwoInputs):
    def forward(self, params: Params, a: Array, b: Array) -> Activation:
        return Activation(a - b, deltas=(lambda delta: delta, lambda delta: delta))


@broken(4, "δ of input 0", ())
class WrongBeyondSix(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(
            analytic.softplus(x),
            deltas=(lambda delta: delta * np.where(np.fabs(x.real) > 6, 1, analytic.sigmoid(x)),),
        )


@broken(4, "δ of input 0", (3,))
class WrongInOnePlace(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        off = np.array([1, 1, 1 + 1e-7]).astype(x.dtype)
        return Activation(x * x, deltas=(lambda delta: 2 * delta * x * off,))


@broken(4, "δ of input 0", (3,))
class WrongOnlyAtTies(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(branches.relu(x), deltas=(lambda delta: delta * (x.real >= 0),))


@broken(4, "δ of input 0", (3,), (3,))
class TieTakenTwice(TwoInputs):
    def forward(self, params: Params, a: Array, b: Array) -> Activation:
        return Activation(
            branches.maximum(a, b),
            deltas=(lambda delta: delta * (a.real >= b.real), lambda delta: delta * (b.real >= a.real)),
        )


@broken(4, "value", (3,))
class BothLinesWrongAlike(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        value = 3 * x if np.iscomplexobj(x) else 2 * x
        return Activation(value, deltas=(lambda delta: 3 * delta,))


@broken(4, "value", (3,))
class DoublePrecisionValue(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(x * np.array([2.0]), deltas=(lambda delta: 2 * delta,))


@broken(4, "δ of input 0", (3,))
class DoublePrecisionDelta(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(2 * x, deltas=(lambda delta: delta * np.float64(2),))


@broken(4, "gradient of 'bias'", (3,))
class DoublePrecisionGradient(WithWeight):
    def forward(self, params: Params, x: Array) -> Activation:
        activation = super().forward(params, x)
        bias = lambda delta: delta.sum(axis=0, dtype=np.promote_types(delta.dtype, np.float64))  # noqa: E731
        return activation._replace(grads={**activation.grads, "bias": bias})


@broken(4, "value", (3,))
class AbsOfComplex(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(np.abs(x), deltas=(lambda delta: delta * np.sign(x.real),))


@broken(4, "value", (3,))
class NormOfComplex(Layer):
    def output_shape(self, x: Shape) -> Shape:
        return ()

    def forward(self, params: Params, x: Array) -> Activation:
        norm = np.linalg.norm(x, axis=-1).astype(x.dtype)
        return Activation(norm, deltas=(lambda delta: delta[:, None] * x / norm[:, None],))


@broken(4, "value", (3,))
class RealBuffer(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        y = np.empty(x.shape)
        y[:] = 2 * x
        return Activation(y.astype(x.dtype), deltas=(lambda delta: 2 * delta,))


@broken(4, "δ of input 0", (3,))
class RealBufferForDelta(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        def x_delta(delta: Array) -> Array:
            whole = np.zeros(x.shape)
            whole[:, 1:] = delta[:, :-1]
            return whole.astype(delta.dtype)

        return Activation(np.concatenate([x[:, 1:], 0 * x[:, :1]], axis=1), deltas=(x_delta,))


@broken(4, "value", (3,))
class ImaginaryPartDropped(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(x * x.real, deltas=(lambda delta: 2 * delta * x,))


@broken(4, "value", (3,))
class RealPartDropped(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(2j * x.imag if np.iscomplexobj(x) else 2 * x, deltas=(lambda delta: 2 * delta,))


@broken(4, "value", (3,), (3,))
class LexicographicMaximum(TwoInputs):
    def forward(self, params: Params, a: Array, b: Array) -> Activation:
        return Activation(
            np.maximum(a, b),
            deltas=(lambda delta: delta * (a.real >= b.real), lambda delta: delta * (b.real > a.real)),
        )


@broken(4, "value", (3,))
class LexicographicMax(Layer):
    def output_shape(self, x: Shape) -> Shape:
        return x[:-1]

    def saved(self, x: Shape) -> int:
        return 1

    def forward(self, params: Params, x: Array) -> Activation:
        first = x.real.argmax(axis=-1)[:, None]

        def x_delta(delta: Array) -> Array:
            whole = np.zeros(x.shape, delta.dtype)
            np.put_along_axis(whole, first, delta[:, None], axis=-1)
            return whole

        return Activation(x.max(axis=-1), deltas=(x_delta,))


@broken(4, "δ of input 0", (3,))
class LexicographicComparison(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(branches.relu(x), deltas=(lambda delta: delta * (x > 0),))


@broken(4, "value", (3,))
class SigmoidNotANumber(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        y = 1 / (1 + np.exp(-x))
        return Activation(y, deltas=(lambda delta: delta * y * (1 - y),))


@broken(4, "value", (3,))
class SoftmaxOverflows(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        powers = np.exp(x)
        p = powers / powers.sum(axis=-1, keepdims=True)
        return Activation(p, deltas=(lambda delta: p * (delta - (p * delta).sum(axis=-1, keepdims=True)),))


@broken(4, "δ of input 0", (3,))
class DeltaNotANumber(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(
            analytic.softplus(x), deltas=(lambda delta: delta * np.exp(x.real) / (1 + np.exp(x.real)),)
        )


@broken(4, "value", (3,))
class NeverFinite(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(x / 0, deltas=(lambda delta: delta / 0,))


@broken(4, "δ of input 0", (3,))
class NotLinearInDelta(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(branches.relu(x), deltas=(lambda delta: delta * (x.real > 0) * (delta.real > 0),))


@broken(4, "δ of input 0", (3,))
class SecondOrderConjugated(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(x * x, deltas=(lambda delta: 2 * delta * np.conj(x),))


@broken(4, "δ of input 0", (3,))
class SecondOrderDropped(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(x * x, deltas=(lambda delta: 2 * delta * x.real,))


@broken(4, "gradient of 'weight'", (3,))
class SecondOrderDroppedInGradient(WithWeight):
    def forward(self, params: Params, x: Array) -> Activation:
        activation = super().forward(params, x)
        return activation._replace(grads={**activation.grads, "weight": lambda delta: delta.T @ x.real})


@broken(4, "value", (3,))
class RefusesComplex(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(np.logaddexp(x, 0), deltas=(lambda delta: delta * analytic.sigmoid(x),))


# Rule 5: shapes first.


@broken(5, "value", (3,))
class WrongOutputShape(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(x.sum(axis=-1), deltas=(lambda delta: delta[:, None] + 0 * x,))


@broken(5, "output_shape", (3,))
class ListAsShape(OneInput):
    def output_shape(self, x: Shape) -> Any:
        return list(x)


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


@broken(5, "value", (3,))
class RaisesOnItsOwnShapes(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(x.reshape(2, 2, 2), deltas=(lambda delta: delta,))


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


@broken(5, "saved", (3,))
class NegativeSaved(OneInput):
    def saved(self, x: Shape) -> int:
        return -1

    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(2 * x, deltas=(lambda delta: 2 * delta,))


@broken(5, "saved", (3,))
class SavesMoreThanItSays(OneInput):
    def saved(self, x: Shape) -> int:
        return 2

    def forward(self, params: Params, x: Array) -> Activation:
        slope = 2 * x
        return Activation(x * x, deltas=(lambda delta: delta * slope,))


@broken(5, "saved", (3,))
class SavesMoreInAPartial(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(x * x, deltas=(partial(np.multiply, 2 * x),))


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


class Twice(OneInput):
    """y = 2x, for x (...)."""

    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(2 * x, deltas=(lambda delta: 2 * delta,))


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


@pytest.mark.parametrize("case", BROKEN, ids=[type(layer).__name__ for _, _, layer, _ in BROKEN])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_broken_layer_is_caught_and_named(case: Case, seed: int) -> None:
    rule, closure, layer, shapes = case
    with pytest.raises(ConformanceError) as caught:
        check_layer(layer, *shapes, seed=seed)
    assert (caught.value.rule, caught.value.closure) == (rule, closure), str(caught.value)


def caught(layer: Layer, *shapes: Shape) -> ConformanceError:
    with pytest.raises(ConformanceError) as caught:
        check_layer(layer, *shapes)
    return caught.value


def test_the_error_says_rule_closure_place_and_numbers() -> None:
    error = caught(WrongInOnePlace(), (3,))
    assert isinstance(error, AssertionError)
    assert (error.layer, error.rule_name, error.point) == ("WrongInOnePlace", "analytic", "scale 0.001")
    assert error.place is not None and error.place[-1] == 2
    assert isinstance(error.expected, float) and error.got == pytest.approx(
        error.expected * (1 + 1e-7), rel=1e-10
    )
    assert str(error) == (
        "WrongInOnePlace breaks rule 4 (analytic): δ of input 0 is not the derivative of the value: "
        f"expected {error.expected}, got {error.got} at {list(error.place)}, at scale 0.001"
    )


def test_the_error_says_at_which_scale() -> None:
    assert caught(WrongBeyondSix(), ()).point == "scale 10"
    assert caught(WrongOnlyAtTies(), (3,)).point == "exact ties of scale 1"


def test_the_error_can_be_pickled() -> None:
    error = caught(WrongSign(), (3,))
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), vars(copy)) == (str(error), vars(error))


def test_what_the_layer_raised_is_the_cause() -> None:
    error = caught(RaisesOnItsOwnShapes(), (3,))
    assert isinstance(error.__cause__, ValueError) and str(error.__cause__) in str(error)


def test_a_wrong_number_of_shapes_is_the_callers_mistake() -> None:
    with pytest.raises(TypeError, match=r"Twice takes 1 input \(x\), got 2 shapes"):
        check_layer(Twice(), (3,), (3,))


def test_shapes_that_the_layer_refuses_are_the_callers_mistake() -> None:
    class Picky(Twice):
        def output_shape(self, x: Shape) -> Shape:
            raise LayerError("expected something else", input=0)

    with pytest.raises(LayerError, match="something else"):
        check_layer(Picky(), (3,))


def test_the_kit_leaves_everything_as_it_was() -> None:
    before = np.geterr(), sys.getswitchinterval()
    caught(NotForThreads(), (3,))
    assert (np.geterr(), sys.getswitchinterval()) == before


def test_overflow_is_no_mistake() -> None:
    class Square(OneInput):
        """y = x² in float32's range, ∞ beyond."""

        def forward(self, params: Params, x: Array) -> Activation:
            huge = np.where(np.fabs(x.real) > 50, np.inf, 1).astype(x.dtype)
            return Activation(x * x * huge, deltas=(lambda delta: 2 * delta * x,))

    check_layer(Square(), (1,))
