"""Rule 1, pure: the kit catches state, writing, buffers, chance, threads and layouts."""

from __future__ import annotations

import sys
import time
from typing import Any, ClassVar

import numpy as np
from support.broken_layers import Array, Broken, OneInput, Params, WithWeight, caught

from deltawire_layers import (
    Activation,
)
from deltawire_layers.numeric import analytic

broken = Broken()


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


def buffer(owner: object, like: Array) -> Array:
    """One array for each layer, shape and dtype, given out again and again."""
    return BUFFERS.setdefault((type(owner), like.shape, like.dtype), np.empty_like(like))


@broken(1, "value", (3,))
class ScratchBufferForValue(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(np.multiply(x, 2, out=buffer(self, x)), deltas=(lambda delta: 2 * delta,))


@broken(1, "δ of input 0", (3,))
class ScratchBufferForDelta(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        return Activation(2 * x, deltas=(lambda delta: np.multiply(delta, 2, out=buffer(self, delta)),))


@broken(1, "δ of input 0", (3,))
class ScratchBufferForSaved(OneInput):
    def forward(self, params: Params, x: Array) -> Activation:
        square = np.multiply(x, x, out=buffer(self, x))
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


@broken(1, "δ of input 0", (3,))
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


test_a_broken_layer_is_caught_and_named = broken.test()


def test_the_kit_leaves_everything_as_it_was() -> None:
    before = np.geterr(), sys.getswitchinterval()
    caught(NotForThreads(), (3,))
    assert (np.geterr(), sys.getswitchinterval()) == before
