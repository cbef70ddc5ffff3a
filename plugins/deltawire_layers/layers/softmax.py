"""Layers that turn scores into probabilities along the last axis."""

from __future__ import annotations

from collections.abc import Mapping

from deltawire_layers.layer import Activation, Array, Formula, Layer, Shape
from deltawire_layers.numeric import analytic
from deltawire_layers.shapes import last_axis


class Softmax(Layer):
    """p = eˣ / Σ eˣ over the last axis of x (..., C).

    Source: Bishop, "Pattern Recognition and Machine Learning", 2006, section 4.3.4.
    """

    formula = Formula(
        r"p_i = \frac{e^{{x0}_i}}{\sum_j e^{{x0}_j}}", (r"{value} \circ ({delta} - {value}^{\top} {delta})",)
    )

    def output_shape(self, x: Shape) -> Shape:
        last_axis(x, least=1)
        return x

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        p = analytic.softmax(x)
        return Activation(p, deltas=(lambda delta: analytic.softmax_delta(p, delta),))


class LogSoftmax(Layer):
    """y = x − log Σ eˣ over the last axis of x (..., C).

    Source: Bishop, "Pattern Recognition and Machine Learning", 2006, section 4.3.4.
    """

    formula = Formula(
        r"{x0}_i - \log \sum_j e^{{x0}_j}", (r"{delta} - e^{{value}} \textstyle\sum_i {delta}_i",)
    )

    def output_shape(self, x: Shape) -> Shape:
        last_axis(x, least=1)
        return x

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        y = analytic.log_softmax(x)
        return Activation(
            y, deltas=(lambda delta: delta - analytic.exp(y) * delta.sum(axis=-1, keepdims=True),)
        )
