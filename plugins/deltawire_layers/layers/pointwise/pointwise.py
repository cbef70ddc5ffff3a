"""The base of layers that work on every number by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from deltawire_layers.layer import Activation, Array, Layer, Shape
from deltawire_layers.numeric import kernels


class Pointwise(Layer):
    """One number out for each number in: δx = f′(x) ∘ δ."""

    elementwise = True

    def output_shape(self, x: Shape) -> Shape:
        return x


class Compiled(Pointwise):
    """A function that a compiled kernel computes, where there is one."""

    keeps_slope: ClassVar[bool] = False
    """Whether the forward line also computes the derivative, and keeps it; `saved` counts its numbers."""

    @property
    def function(self) -> str:
        """The name of the kernel."""
        return type(self).__name__.lower()

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        return kernels.pointwise(self.function, x, self.keeps_slope) or self.by_numpy(x)

    def by_numpy(self, x: Array) -> Activation:
        """Return the value and its backward equation, computed by numpy."""
        raise NotImplementedError
