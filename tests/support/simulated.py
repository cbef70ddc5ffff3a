"""A layer of `orders` 1 that takes real numbers alone, and its twin that takes complex numbers too."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from deltawire_layers import Activation, Layer, Parameter
from deltawire_layers.initializers import ones

Shape = tuple[int, ...]


class Analytic(Layer):
    """y = w tanh(x), for x (...), w ()."""

    def output_shape(self, x: Shape) -> Shape:
        return x

    def parameters(self, x: Shape) -> dict[str, Parameter]:
        return {"w": Parameter((), ones)}

    def saved(self, x: Shape) -> int:
        return math.prod(x)

    def tanh(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(np.tanh(x))

    def forward(self, params: Mapping[str, np.ndarray], x: np.ndarray) -> Activation:
        w, y = params["w"], self.tanh(x)
        return Activation(
            w * y,
            deltas=(lambda delta: w * delta * (1 - y * y),),
            grads={"w": lambda delta: np.asarray((delta * y).sum(), delta.dtype)},
        )


class Simulated(Analytic):
    """y = w tanh(x), for x (...), w (), by a function of C that knows no complex numbers."""

    orders = 1

    def tanh(self, x: np.ndarray) -> np.ndarray:
        if np.iscomplexobj(x):
            raise TypeError("the simulator takes real numbers")
        return np.array([math.tanh(number) for number in x.ravel()], x.dtype).reshape(x.shape)
