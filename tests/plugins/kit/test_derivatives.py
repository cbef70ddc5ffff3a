"""Rule 4, analytic: the kit catches wrong derivatives, lost dtypes and what complex numbers break."""

from __future__ import annotations

import numpy as np
from support.broken_layers import Array, Broken, OneInput, Params, TwoInputs, WithWeight

from deltawire_layers import (
    Activation,
    Layer,
    Shape,
)
from deltawire_layers.numeric import analytic, branches

broken = Broken()


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


test_a_broken_layer_is_caught_and_named = broken.test()
