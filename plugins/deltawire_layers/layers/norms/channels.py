"""Norms with a factor and a summand for each channel."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, prod

import numpy as np
from marshmallow import validate

from deltawire_layers.layer import (
    Activation,
    Array,
    Equation,
    Formula,
    Layer,
    LayerError,
    Parameter,
    Shape,
    Work,
)
from deltawire_layers.layers.norms.normalised import (
    NormConfig,
    affine,
    affine_per_example,
    norm_work,
    normalised,
    saved_by_rows,
    weight_and_bias,
)
from deltawire_layers.layers.norms.places import LayerNorm
from deltawire_layers.numeric import analytic
from deltawire_layers.numeric.compiled import norms
from deltawire_layers.numeric.lengths import magnitude
from deltawire_layers.numeric.sums import sum_axes
from deltawire_plugins import config


class ChannelNorm(Layer):
    """Parameters w (C,) and b (C,): one of each for every channel of an example (C, ...)."""

    affine: bool
    init_scale: float

    def parameters(self, x: Shape, *statistics: Shape) -> dict[str, Parameter]:
        return weight_and_bias(x[:1], self.init_scale) if self.affine else {}

    def work(self, x: Shape, *statistics: Shape) -> Work:
        return norm_work(x)


def channels(x: Shape) -> int:
    """Return the number of channels, the size of the first axis.

    Raises:
        LayerError: there is no axis.
    """
    if not x:
        raise LayerError("expected an axis of channels, got a single number of shape ()", input=0)
    return x[0]


class Groups(ChannelNorm):
    """A norm over groups of channels that follow each other, with all their places."""

    eps: float

    formula = LayerNorm.formula

    def output_shape(self, x: Shape) -> Shape:
        count = self.count_groups(channels(x))
        if not count or x[0] % count:
            raise LayerError(f"{x[0]} channels cannot be divided into {count} groups", input=0)
        return x

    def count_groups(self, channels: int) -> int:
        """Return the number of groups of so many channels."""
        raise NotImplementedError

    def saved(self, x: Shape) -> int:
        groups = self.count_groups(x[0])
        return saved_by_rows(groups, prod(x) // groups)

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        groups = self.count_groups(x.shape[1])
        compiled = norms.norm(params, x, len(x) * groups, x.shape[1] // groups, self.eps, centred=True)
        if compiled:
            return compiled
        grouped = (len(x), groups, -1)
        y, back = normalised(x.reshape(grouped), self.eps)
        return affine(
            params, 1, y.reshape(x.shape), lambda delta: back(delta.reshape(grouped)).reshape(x.shape)
        )

    def per_example(self, params: Mapping[str, Array], delta: Array, x: Array) -> dict[str, Array]:
        y, _ = normalised(x.reshape(len(x), self.count_groups(x.shape[1]), -1), self.eps)
        return affine_per_example(params, 1, y.reshape(x.shape), delta)


class GroupNorm(Groups):
    """y = w ∘ (x − mean x) / √(var x + eps) + b over groups of channels, with x (C, ...), w (C,), b (C,).

    A group is C / groups channels that follow each other, with all their places.

    Source: Wu & He, "Group Normalization", 2018, arXiv:1803.08494.
    """

    class Config(NormConfig):
        groups = config.Integer(
            required=True,
            validate=validate.Range(min=1),
            metadata={"description": "number of groups the channels are divided into"},
        )

    groups: int

    def count_groups(self, channels: int) -> int:
        return self.groups


class InstanceNorm(Groups):
    """y = w ∘ (x − mean x) / √(var x + eps) + b over the places of a channel; x (C, ...), w (C,), b (C,).

    Source: Ulyanov, Vedaldi & Lempitsky, "Instance Normalization", 2016, arXiv:1607.08022.
    """

    class Config(NormConfig):
        """The summand eps, and whether there are w and b."""

    def count_groups(self, channels: int) -> int:
        return channels


class BatchNorm(ChannelNorm):
    """y = w ∘ (x − running_mean) / √(running_var + eps) + b by channel, with x (C, ...), the others (C,).

    The statistics are inputs, usually `shared` ones, and fixed: they come from a training elsewhere (torch's
    layer in `eval` mode). They are not parameters, so that a step along all gradients does not change them.

    Source: Ioffe & Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal
    Covariate Shift", 2015, arXiv:1502.03167.
    """

    class Config(NormConfig):
        """The summand eps, and whether there are w and b."""

    eps: float

    domain = (0.0, inf)  # of the variance; the others may be anything
    bounds = {2: (0, inf)}
    formula = Formula(
        r"{weight} \circ \hat{x} + {bias}, \quad \hat{x} = ({x0} - {x1}) / s, "
        r"\quad s = \sqrt{{x2} + \epsilon}",
        (
            r"\frac{1}{s} \circ {weight} \circ {delta}",
            r"-\frac{1}{s} \circ \textstyle\sum {weight} \circ {delta}",
            r"-\frac{1}{2 s^2} \circ \textstyle\sum {weight} \circ {delta} \circ \hat{x}",
        ),
        {"weight": r"{delta} \circ \hat{x}", "bias": r"{delta}"},
        {"weight": "1", "bias": "0"},
    )

    def output_shape(self, x: Shape, running_mean: Shape, running_var: Shape) -> Shape:
        expected = (channels(x),)
        for position, given in enumerate((running_mean, running_var), start=1):
            if given != expected:
                raise LayerError(
                    f"expected one number per channel, shape {list(expected)}, got {list(given)}",
                    input=position,
                )
        return x

    def saved(self, x: Shape, running_mean: Shape, running_var: Shape) -> int:
        root = x[0]
        return root + saved_by_rows(x[0], prod(x[1:]))

    def forward(
        self, params: Mapping[str, Array], x: Array, running_mean: Array, running_var: Array
    ) -> Activation:
        root = analytic.square_root(running_var + self.eps)
        compiled = norms.standardised(params, x, running_mean, root) if x.ndim > 2 else None
        if not compiled:
            return self._by_numpy(params, x, running_mean, root)

        def statistic(position: int) -> Equation:  # few networks ask for these
            return lambda signal: _equation(self._by_numpy(params, x, running_mean, root), position)(
                signal.above.reshape(x.shape)
            )

        deltas = (*compiled.deltas, statistic(1), statistic(2))
        return Activation(compiled.value, deltas, compiled.grads, compiled.signal)

    def _by_numpy(
        self, params: Mapping[str, Array], x: Array, running_mean: Array, root: Array
    ) -> Activation:
        each = (*running_mean.shape, *(1,) * (x.ndim - 2))
        places = tuple(range(2, x.ndim))
        y = self._normalised(x, running_mean, root)

        def variance_delta(delta: Array) -> Array:
            # y of the least numbers of all has few digits: they are as great as 1 meanwhile.
            apart = x - running_mean.reshape(each)
            size = magnitude(apart, places)
            total = -0.5 * sum_axes(delta * analytic.divide(apart / size, root.reshape(each)), places)
            size = size.reshape(root.shape)
            small = np.minimum(size, 1)
            half = np.ldexp(np.ones_like(small), np.frexp(small)[1] // 2)
            # So no number on the way is nearer to 0, or to the greatest, than the result.
            total = analytic.divide(total, root) * (np.maximum(size, 1) * half)
            return np.asarray(analytic.divide(total, root) * (small / half))

        return affine(
            params, 1, y,
            lambda delta: analytic.divide(delta, root.reshape(each)),
            lambda delta: -analytic.divide(sum_axes(delta, places), root),
            variance_delta,
        )  # fmt: skip

    def per_example(
        self, params: Mapping[str, Array], delta: Array, x: Array, running_mean: Array, running_var: Array
    ) -> dict[str, Array]:
        root = analytic.square_root(running_var + self.eps)
        return affine_per_example(params, 1, self._normalised(x, running_mean, root), delta)

    def _normalised(self, x: Array, mean: Array, root: Array) -> Array:
        each = (*mean.shape, *(1,) * (x.ndim - 2))
        return analytic.divide(x - mean.reshape(each), root.reshape(each))


def _equation(activation: Activation, position: int) -> Equation:
    equation = activation.deltas[position]
    assert equation is not None
    return equation
