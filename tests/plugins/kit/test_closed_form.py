"""Formulas for measured numbers: samples of a known one lead back to it, and others to none."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import pytest
from marshmallow import Schema

from deltawire_layers import Layer, Shape, config
from deltawire_layers.kit.memory.closed_form import Sample, closed_form, signature


class Two(Layer):
    """y = f(a, b), for a (..., n), b (..., n, m)."""

    class Config(Schema):
        units = config.Integer()
        kernel = config.Integers()

    units: int
    kernel: list[int]

    def output_shape(self, a: Shape, b: Shape) -> Shape:
        return (*a[:-1], self.units)


class Many(Layer):
    """y = f(first, …), for any number of inputs."""

    def output_shape(self, first: Shape, *others: Shape) -> Shape:
        return first


def samples(formula: str) -> list[Sample]:
    """What a layer saves that this formula is true of, for several shapes and configs."""
    measured = []
    for n, m, k, units in product((1, 2, 5), (3, 4), (1, 7), (2, 3)):
        layer = Two(units=units, kernel=[units, 5 - m])
        a, b = (m, n), (m, n, k)
        measured.append(Sample(layer, (a, b), eval(formula, {"prod": prod}, {"self": layer, "a": a, "b": b})))
    return measured


@pytest.mark.parametrize(
    "formula",
    [
        "7",
        "prod(a)",
        "3 * prod(b)",
        "prod(a) + prod(b)",
        "2 * prod(b) + prod(a[:-1]) + 5",
        "3 * prod(a[:-1]) * self.units",
        "prod(a) * prod(self.kernel)",
        "a[-1] * b[-1] * self.units",
        "2 * prod(a) + 3 * prod(b) + b[-1] * self.units",
        "self.units",
    ],
)
def test_a_formula_is_found_again(formula: str) -> None:
    fitted = closed_form(samples(formula))
    assert fitted is not None
    for ours, given in zip(samples(fitted), samples(formula), strict=True):
        assert ours.saved == given.saved
    assert len(fitted.split(" + ")) == len(formula.split(" + "))
    assert len(fitted) <= len(formula)


def test_fractions_are_rounded_up() -> None:
    """Saved booleans are a quarter of a float32."""
    assert closed_form(samples("0.25 * prod(a)")) == "prod(a)"
    assert closed_form(samples("prod(b) + 1.25 * prod(a)")) in (
        "prod(b) + 2 * prod(a)",
        "2 * prod(a) + prod(b)",
    )


@pytest.mark.parametrize("formula", ["prod(a) ** 2 + 1", "abs(a[-1] - b[-1])", "0.1 * prod(a)", "-prod(a)"])
def test_there_may_be_none(formula: str) -> None:
    assert closed_form(samples(formula)) is None


def test_nothing_saved() -> None:
    assert closed_form(samples("0")) == "0"
    assert closed_form([]) is None


def test_any_number_of_inputs() -> None:
    shapes: list[tuple[Any, ...]] = [((2, 3),), ((2,), (5, 4)), ((7,), (3,), (2, 2)), ((3, 3), (1,))]
    measured = [Sample(Many(), case, 2 * sum(map(prod, case[1:])) + prod(case[0])) for case in shapes]
    assert closed_form(measured) == "prod(first) + 2 * sum(map(prod, others))"


def test_the_signature_is_that_of_output_shape() -> None:
    assert signature(Two(units=1, kernel=[])) == "self, a, b"
    assert signature(Many()) == "self, first, *others"
