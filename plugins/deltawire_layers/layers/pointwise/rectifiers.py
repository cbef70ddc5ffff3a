"""Activations that are put together of several pieces."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

import numpy as np
from marshmallow import Schema, ValidationError, validate, validates_schema

from deltawire_layers.initializers import Constant, Scaled, scale_field
from deltawire_layers.layer import Activation, Array, Formula, LayerError, Parameter, Shape
from deltawire_layers.layers.pointwise.pointwise import Pointwise
from deltawire_layers.numeric import analytic, branches
from deltawire_layers.numeric.sums import sum_axes
from deltawire_plugins import config


class Relu(Pointwise):
    """y = max(0, x), for each number of x (...); the slope at 0 is 0."""

    formula = Formula(r"\max(0, {x0})", (r"[{x0} > 0] \circ {delta}",))

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        return Activation(branches.relu(x), deltas=(lambda delta: branches.keep(x.real > 0, delta),))


class LeakyRelu(Pointwise):
    """y = x where x > 0, else slope · x, for each number of x (...); at 0 the derivative is the slope.

    Source: Maas, Hannun & Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models", 2013.
    """

    class Config(Schema):
        slope = config.Number(load_default=0.01, metadata={"description": "derivative below 0"})

    slope: float

    formula = Formula(
        r"\max(0, {x0}) + s \min(0, {x0})", (r"\left([{x0} > 0] + s\,[{x0} \le 0]\right) \circ {delta}",)
    )

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        def sloped(array: Array) -> Array:
            if not self.slope:  # also where a number is infinite
                return branches.keep(x.real > 0, array)
            return analytic.scale(array, branches.choose(x.real > 0, 1.0, self.slope, x))

        return Activation(sloped(x), deltas=(sloped,))


class Elu(Pointwise):
    """y = x where x > 0, else alpha · (eˣ − 1), for each number of x (...); at 0 the derivative is alpha.

    Source: Clevert, Unterthiner & Hochreiter, "Fast and Accurate Deep Network Learning by Exponential Linear
    Units (ELUs)", 2015, arXiv:1511.07289.
    """

    class Config(Schema):
        alpha = config.Number(
            load_default=1.0, metadata={"description": "−y far below 0, and the derivative just below 0"}
        )

    alpha: float

    formula = Formula(
        r"\max(0, {x0}) + \alpha\,(e^{\min(0, {x0})} - 1)",
        (r"\left([{x0} > 0] + \alpha\,[{x0} \le 0]\,e^{{x0}}\right) \circ {delta}",),
    )

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        def x_delta(delta: Array) -> Array:
            above = x.real > 0
            slope = analytic.exp(branches.keep(~above, x))  # 1 where x > 0
            slope *= branches.choose(above, 1.0, self.alpha, x)
            slope *= delta
            return slope

        above = x.real > 0
        below = branches.keep(~above, x)
        value = analytic.expm1(below, out=below)
        value *= self.alpha
        value += branches.relu(x)
        return Activation(value, deltas=(x_delta,))


class Clip(Pointwise):
    """y = min(max(x, low), high), for each number of x (...); the derivative is 1 between the bounds, else 0.

    At a bound it is 1, as in torch's clamp, or 0, as in its hardtanh and relu6: see `at_bounds`.
    """

    class Config(Schema):
        low = config.Number(
            load_default=None, allow_none=True, metadata={"description": "lower bound; null: none"}
        )
        high = config.Number(
            load_default=None, allow_none=True, metadata={"description": "upper bound; null: none"}
        )
        at_bounds = config.Integer(
            load_default=1, validate=validate.Range(0, 1), metadata={"description": "derivative at a bound"}
        )

        @validates_schema
        def bounds_in_order(self, config: dict[str, Any], **_: Any) -> None:
            low, high = config["low"], config["high"]
            if low is not None and high is not None and low > high:
                raise ValidationError(f"expected at most the upper bound {high}, got {low}", "low")

    low: float | None
    high: float | None
    at_bounds: int

    formula = Formula(
        r"\min(\max({x0}, \text{low}), \text{high})",
        (r"[\text{low} \le {x0} \le \text{high}] \circ {delta}",),
    )

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        low, high = -inf if self.low is None else self.low, inf if self.high is None else self.high
        closed = self.at_bounds == 1
        return Activation(
            branches.clip(x, low, high, closed),
            deltas=(lambda delta: branches.keep(branches.inside(x, low, high, closed), delta),),
        )


class HardSigmoid(Pointwise):
    """y = min(max(alpha · x + beta, 0), 1), for each number of x (...); at 0 and at 1 the derivative is 0.

    Source: Howard et al., "Searching for MobileNetV3", 2019, arXiv:1905.02244.
    """

    class Config(Schema):
        alpha = config.Number(load_default=1 / 6, metadata={"description": "derivative between 0 and 1"})
        beta = config.Number(load_default=0.5, metadata={"description": "y at x = 0"})

    alpha: float
    beta: float

    formula = Formula(
        r"\min(\max(\alpha\,{x0} + \beta, 0), 1)",
        (r"\alpha\,[0 < \alpha\,{x0} + \beta < 1] \circ {delta}",),
    )

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        def x_delta(delta: Array) -> Array:
            sloped = branches.inside(self.alpha * x.real + self.beta, 0, 1, closed=False)
            return analytic.scale(branches.keep(sloped, delta), self.alpha)

        line = analytic.scale(x, self.alpha)
        line += self.beta
        return Activation(branches.clip(line, 0, 1, closed=False), deltas=(x_delta,))


class HardSwish(Pointwise):
    """y = x · min(max(x / 6 + 1/2, 0), 1), for each number of x (...).

    The derivative is 0 at −3 and 1 at 3.

    Source: Howard et al., "Searching for MobileNetV3", 2019, arXiv:1905.02244.
    """

    formula = Formula(
        r"{x0} \circ h, \quad h = \min(\max({x0} / 6 + \tfrac{1}{2}, 0), 1)",
        (r"\left(h + \tfrac{1}{6}\,{x0} \circ [-3 < {x0} < 3]\right) \circ {delta}",),
    )

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        def gate() -> Array:
            return branches.clip(x + 3, 0, 6, closed=False) / 6

        def x_delta(delta: Array) -> Array:
            slope = branches.keep(branches.inside(x, -3, 3, closed=False), x)
            slope /= 6
            slope += gate()
            slope *= delta
            return slope

        return Activation(x * gate(), deltas=(x_delta,))


class PRelu(Pointwise):
    """y = x where x > 0, else w x, with x (C, ...), w (1,) or (C,): one slope, or one for each channel.

    At 0 the derivative is the slope.

    Source: He et al., "Delving Deep into Rectifiers", 2015, arXiv:1502.01852.
    """

    class Config(Schema):
        per_channel = config.Flag(
            load_default=False,
            metadata={"description": "whether every channel, the first axis, has its own slope"},
        )
        init_scale = scale_field()

    per_channel: bool
    init_scale: float

    formula = Formula(
        r"\max(0, {x0}) + {weight} \circ \min(0, {x0})",
        (r"\left([{x0} > 0] + {weight} \circ [{x0} \le 0]\right) \circ {delta}",),
        {"weight": r"\textstyle\sum {delta} \circ \min(0, {x0})"},
        {"weight": "1/4"},
    )

    def output_shape(self, x: Shape) -> Shape:
        if self.per_channel and not x:
            raise LayerError("expected an axis of channels, got a single number of shape ()", input=0)
        return x

    def parameters(self, x: Shape) -> dict[str, Parameter]:
        shape = x[:1] if self.per_channel else (1,)
        return {"weight": Parameter(shape, Scaled(Constant(0.25), self.init_scale))}

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        channels = (-1, *(1,) * (x.ndim - 2)) if self.per_channel else ()
        w = params["weight"].reshape(channels)
        shared = tuple(axis for axis in range(x.ndim) if axis != 1 or not self.per_channel)

        def sloped(array: Array) -> Array:
            return np.where(x.real > 0, array, w * array)

        def weight_gradient(delta: Array) -> Array:
            summed = sum_axes(delta * branches.keep(x.real <= 0, x), shared)
            return summed.reshape(params["weight"].shape)

        return Activation(sloped(x), deltas=(sloped,), grads={"weight": weight_gradient})
