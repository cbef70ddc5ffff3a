"""Errors at points outside of a function's domain say how to declare it."""

from __future__ import annotations

import math
from math import inf
from typing import Any

import numpy as np
import pytest
from support.broken_layers import Array, caught
from support.made_layers import made, pointwise, twice, two

from deltawire_layers import Activation, Layer, check_layer
from deltawire_layers.numeric import analytic

MEND = "if it is not defined for such inputs, declare where it is: domain = "


def logarithm(**members: Any) -> Layer:
    return pointwise(np.log, lambda x: 1 / x, **members)


@pytest.mark.parametrize(
    ("layer", "domain"),
    [
        (logarithm(), "(0, inf)"),
        (pointwise(np.sqrt, lambda x: 0.5 / np.sqrt(x)), "(0, inf)"),
        (pointwise(lambda x: np.sqrt(-x), lambda x: -0.5 / np.sqrt(-x)), "(-inf, 0)"),
        (pointwise(np.arcsin, lambda x: 1 / np.sqrt(1 - x * x)), "(-1, 1)"),
        (pointwise(lambda x: np.log1p(x), lambda x: 1 / (1 + x)), "(-1, inf)"),
    ],
)
def test_the_domain_to_declare_is_named(layer: Layer, domain: str) -> None:
    """At scale 0.001 some functions are defined everywhere; later points tell."""
    error = caught(layer, (3,))
    assert (error.rule, error.closure) == (4, "value")
    assert f"{MEND}{domain}" in str(error), str(error)


def test_no_domain_where_none_mends_it() -> None:
    layer = pointwise(lambda x: np.where(np.sin(4e4 * x.real) > 0, x, np.nan), np.ones_like)
    assert "look for ∞ − ∞, 0 · ∞ or the root of a negative number" in str(caught(layer, (3,)))


def test_a_layer_of_two_inputs() -> None:
    layer = two(lambda a, b: a * np.log(b), lambda a, b: np.log(b), lambda a, b: a / b)
    assert f"{MEND}(0, inf)" in str(caught(layer, (3,), (3,)))


def test_what_a_layer_raises_there() -> None:
    def forward(params: Any, x: Array) -> Activation:
        y = np.array([math.log(number) for number in x.ravel()], x.dtype).reshape(x.shape)
        return Activation(y, (lambda delta: delta / x,))

    error = caught(made(forward), (3,))
    assert "math domain error" in str(error) and MEND in str(error)


def test_a_domain_that_is_too_wide() -> None:
    assert "declare a narrower domain than (-5, inf)" in str(caught(logarithm(domain=(-5, inf)), (3,)))


def test_with_the_domain_the_layer_passes() -> None:
    check_layer(pointwise(analytic.log, lambda x: 1 / x, domain=(0, inf)), (3,))


def test_other_errors_do_not_mention_it() -> None:
    assert "domain" not in str(caught(pointwise(np.sin, np.sin), (3,)))
    naive = pointwise(lambda x: np.log(1 + np.exp(x)), analytic.sigmoid)
    assert "float32" in str(error := caught(naive, (3,))) and "domain" not in str(error)
    assert "domain" not in str(caught(twice(deltas=(lambda delta: delta[None],)), (3,)))
