"""Norms over the last axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import prod

from marshmallow import validate

from deltawire_layers.initializers import Scaled, ones
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
    rescaled,
    saved_by_rows,
    weight_and_bias,
)
from deltawire_layers.numeric.compiled import norms
from deltawire_layers.shapes import last_axis
from deltawire_plugins import config


class PlacesConfig(NormConfig):
    last_axes = config.Integer(
        load_default=1,
        validate=validate.Range(min=1),
        metadata={"description": "number of last axes that are normalised together"},
    )


class PlacesNorm(Layer):
    """Parameters of the shape of the last axes, which are normalised together."""

    eps: float
    affine: bool
    init_scale: float
    last_axes: int

    def output_shape(self, x: Shape) -> Shape:
        last_axis(x, least=1)
        if len(x) < self.last_axes:
            raise LayerError(f"expected at least {self.last_axes} axes, got shape {list(x)}", input=0)
        if not all(self._normed(x)):
            raise LayerError(f"expected at least one place along the last axes, got {list(x)}", input=0)
        return x

    def saved(self, x: Shape) -> int:
        return saved_by_rows(prod(x[: -self.last_axes]), prod(x[-self.last_axes :]))

    def work(self, x: Shape) -> Work:
        return norm_work(x)

    def _normed(self, x: Shape) -> Shape:
        return x[-self.last_axes :]

    def _joined(self, array: Array) -> Array:
        """Return the batch with the last axes as one."""
        return array.reshape(*array.shape[: -self.last_axes], -1)

    def _activation(
        self, params: Mapping[str, Array], x: Array, norm: Callable[[Array, float], tuple[Array, Equation]]
    ) -> Activation:
        """Return the activation of a norm that takes the last axes for one.

        Args:
            params: the parameters.
            x: the batch.
            norm: normalises numbers over the last axis.
        """
        places = prod(x.shape[-self.last_axes :])
        compiled = norms.norm(params, x, x.size // places, places, self.eps, centred=norm is normalised)
        if compiled:
            return compiled
        y, back = norm(self._joined(x), self.eps)
        run = affine({name: w.reshape(-1) for name, w in params.items()}, -1, y, back)
        if self.last_axes == 1:
            return run

        def shaped(equation: Equation, shape: Shape, delta: Array) -> Array:
            return equation(self._joined(delta)).reshape(shape)

        deltas = tuple(equation and partial(shaped, equation, x.shape) for equation in run.deltas)
        grads = {name: partial(shaped, each, params[name].shape) for name, each in run.grads.items()}
        return Activation(run.value.reshape(x.shape), deltas, grads)

    def _per_example(self, params: Mapping[str, Array], y: Array, delta: Array) -> dict[str, Array]:
        rows = affine_per_example(params, -1, y, self._joined(delta))
        return {name: each.reshape(len(delta), *params[name].shape) for name, each in rows.items()}


class LayerNorm(PlacesNorm):
    """y = w ∘ (x − mean x) / √(var x + eps) + b over the last axis, with x (..., n), w (n,), b (n,).

    With `last_axes`, mean and variance are those of several axes together; w and b have their shape.

    Source: Ba, Kiros & Hinton, "Layer Normalization", 2016, arXiv:1607.06450.
    """

    class Config(PlacesConfig):
        bias = config.Flag(load_default=True, metadata={"description": "whether b is added, beside w"})

    bias: bool

    formula = Formula(
        r"{weight} \circ \hat{x} + {bias}, \quad \hat{x} = ({x0} - \overline{{x0}}) / s, "
        r"\quad s = \sqrt{\operatorname{var} {x0} + \epsilon}",
        (
            r"\frac{1}{s} \left(g - \bar{g} - \hat{x} \circ \overline{g \circ \hat{x}}\right), "
            r"\quad g = {weight} \circ {delta}",
        ),
        {"weight": r"{delta} \circ \hat{x}", "bias": r"{delta}"},
        {"weight": "1", "bias": "0"},
    )

    def parameters(self, x: Shape) -> dict[str, Parameter]:
        both = weight_and_bias(self._normed(x), self.init_scale) if self.affine else {}
        return both if self.bias else {name: both[name] for name in both if name != "bias"}

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        return self._activation(params, x, normalised)

    def per_example(self, params: Mapping[str, Array], delta: Array, x: Array) -> dict[str, Array]:
        return self._per_example(params, normalised(self._joined(x), self.eps)[0], delta)


class RmsNorm(PlacesNorm):
    """y = w ∘ x / √(mean x² + eps) over the last axis, with x (..., n), w (n,).

    With `last_axes`, the mean is that of several axes together; w has their shape.

    Source: Zhang & Sennrich, "Root Mean Square Layer Normalization", 2019, arXiv:1910.07467.
    """

    class Config(PlacesConfig):
        """The summand eps, the axes, and whether there is a w."""

    formula = Formula(
        r"{weight} \circ \hat{x}, \quad \hat{x} = {x0} / s, \quad s = \sqrt{\overline{{x0}^2} + \epsilon}",
        (
            r"\frac{1}{s} \left(g - \hat{x} \circ \overline{g \circ \hat{x}}\right), "
            r"\quad g = {weight} \circ {delta}",
        ),
        {"weight": r"{delta} \circ \hat{x}"},
        {"weight": "1"},
    )

    def parameters(self, x: Shape) -> dict[str, Parameter]:
        return {"weight": Parameter(self._normed(x), Scaled(ones, self.init_scale))} if self.affine else {}

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        return self._activation(params, x, rescaled)

    def per_example(self, params: Mapping[str, Array], delta: Array, x: Array) -> dict[str, Array]:
        return self._per_example(params, rescaled(self._joined(x), self.eps)[0], delta)
