"""Operators on handles build layers: values and deltas are those of the same expression in autograd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad
from hypothesis import given, settings
from hypothesis import strategies as st

from deltawire import Client, Network, Refused

CLIENT = Client()

EXPRESSIONS: dict[str, Callable[[Any, Any], Any]] = {
    "a number on both sides": lambda x, y: 2 * x + y * 3,
    "sums with a number": lambda x, y: (x + 1) * (2.5 + y),
    "differences with a number": lambda x, y: (x - 1) * (1 - y),
    "quotients": lambda x, y: x / y + x / 4 + 3 / y,
    "powers": lambda x, y: x**2 + y**0.5 - y**-1,
    "negation": lambda x, y: -x * y,
    "sizes": lambda x, y: abs(x - y) + np.abs(y - 1),
    "numbers of numpy": lambda x, y: np.float64(2) * x + np.int64(3) - np.float32(0.5) * y,
    "the sum of a list": lambda x, y: sum([x, y, x * y]),
    "numbers that change nothing": lambda x, y: (0 + x) * 1 - 0 + y / 1,
    "a matrix product": lambda x, y: x @ y.T,
    "a transposed one": lambda x, y: x.T @ y,
    "rows": lambda x, y: x[1:3] * y[:2],
    "columns": lambda x, y: x[:, 1:] * y[..., 1:],
    "one row": lambda x, y: x[0] * y[-1],
    "one column": lambda x, y: x[:, -1] * y[..., 0],
    "one number": lambda x, y: x[2, 1] * y[-1, 0],
    "some columns of a row": lambda x, y: x[1, :2] * y[np.int64(2), -2:],
    "everything": lambda x, y: x[:] * y[...],
    "axes of numpy": lambda x, y: x.sum(axis=np.int64(0)) * y.mean(axis=(np.int32(0),)),
    "the sum of an axis": lambda x, y: x.sum(axis=0) * y.sum(axis=(0,)),
    "the sum of all": lambda x, y: x.sum() * 0.5 + y.sum((0, 1)),
    "means": lambda x, y: x.mean(axis=-1) * y.mean(axis=1) + x.mean(1),
}
"""Expressions that Python reads alike for handles and for the arrays of one example, (3, 4) each."""


@pytest.mark.parametrize("name", EXPRESSIONS)
@settings(max_examples=settings.default.max_examples // 5)
@given(seed=st.integers(0, 2**32))
def test_an_operator_computes_what_it_says(name: str, seed: int) -> None:
    stream = np.random.default_rng(seed)
    x, y = stream.uniform(0.2, 2.0, (2, 5, 3, 4))
    expression = EXPRESSIONS[name]
    net = Network()
    result = expression(net.input("x", (3, 4)), net.input("y", (3, 4)))
    values = CLIENT.forward(net, {}, {"x": x, "y": y}, [result])[result.name]
    expected = np.stack([expression(*example) for example in zip(x, y, strict=True)])
    np.testing.assert_allclose(values, expected, rtol=1e-13, atol=1e-13)
    cotangent = stream.standard_normal(expected.shape)
    deltas = CLIENT.vjp(net, {}, {"x": x, "y": y}, {result: cotangent}, wrt={"data": True})

    def total(x: Any, y: Any) -> Any:
        return sum(anp.sum(expression(x[row], y[row]) * cotangent[row]) for row in range(len(cotangent)))

    for place, input_name in enumerate("xy"):
        np.testing.assert_allclose(deltas[input_name], grad(total, place)(x, y), rtol=1e-12, atol=1e-12)


def test_every_operator_has_its_layer() -> None:
    net = Network()
    x, y = net.input("x", (2, 2)), net.input("y", (2, 2))
    built = [x + y, x - y, x * y, x / y, x @ y, -x, 2 * x, x - 3, 1 / x, x**2, x[0:1], x.T, x.sum(), x.mean()]
    assert [node["kind"] for node in net.spec()["nodes"]] == [
        "add", "subtract", "multiply", "divide", "matmul", "negate", "affine", "affine", "reciprocal",
        "power", "slice", "transpose", "sum", "mean",
    ]  # fmt: skip
    assert built[6].network is net
    assert net.spec()["nodes"][7]["config"] == {"shift": -3.0}


def test_numbers_that_change_nothing_add_no_layer() -> None:
    net = Network()
    x = net.input("x", (2,))
    for same in (x + 0, 0 + x, x - 0, x * 1, x / 1, x[...], x[:]):
        assert same is x
    assert net.spec()["nodes"] == []


@pytest.mark.parametrize("other", ["x", None, True, np.ones(3), [1, 2], 1j])
def test_operators_take_handles_and_numbers_only(other: Any) -> None:
    x = Network().input("x", (3,))
    for wrong in (
        lambda: x * other, lambda: other * x, lambda: x + other, lambda: other - x, lambda: x - other,
        lambda: x / other, lambda: other / x, lambda: x**other, lambda: x @ other,
    ):  # fmt: skip
        with pytest.raises(TypeError):
            wrong()


@pytest.mark.parametrize("index", [None, slice(0, 3, 2), [0, 1], True, 1.5, (..., ...), np.ones(3, bool)])
def test_other_indices_are_refused(index: Any) -> None:
    with pytest.raises(TypeError, match="index"):
        Network().input("x", (3, 3))[index]


def test_a_place_is_no_sequence() -> None:
    with pytest.raises(TypeError, match="not iterable"):
        list(Network().input("x", (3,)))  # type: ignore[call-overload]


def test_an_index_beyond_the_axis_is_refused_by_the_service() -> None:
    net = Network()
    part = net.input("x", (3,))[1:9]
    with pytest.raises(Refused, match="stop 9 lies outside axis 0 of 3 places"):
        CLIENT.forward(net, {}, {"x": np.ones((1, 3))}, [part])


def test_handles_of_two_networks_do_not_mix() -> None:
    with pytest.raises(Refused, match="another network"):
        Network().input("x") + Network().input("x")


@pytest.mark.parametrize(
    "build",
    [
        lambda x: x + np.ones(4),
        lambda x: np.ones(4) * x,
        lambda x: np.array(2.0) - x,
    ],
)
def test_an_array_is_led_to_an_input_or_a_parameter(build: Any) -> None:
    net = Network()
    with pytest.raises(
        TypeError, match=r"^an array cannot stand.*net.input\(…, shared=True\), .*net.parameter"
    ):
        build(net.input("x", (4,)))
    assert not net.spec()["nodes"]


FUNCTIONS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "tanh": (lambda x: np.tanh(x), 'net.layer("tanh", x)'),
    "exp": (lambda x: np.exp(x), 'net.layer("exp", x)'),
    "maximum": (lambda x: np.maximum(x, 0), 'net.layer("maximum", x, y)'),
    "matmul": (lambda x: np.ones((4, 4)) @ x, "x @ y"),
    "dot": (lambda x: np.dot(x, x), 'net.layer("dot", x, y)'),
    "sum": (lambda x: np.sum(x), "x.sum()"),
    "mean": (lambda x: np.mean(x, axis=0), "x.mean()"),
    "concatenate": (lambda x: np.concatenate([x, x]), 'net.layer("concat", x, y)'),
    "where": (lambda x: np.where(x, x, x), 'net.layer("where", mask, x, y)'),
    "sin": (lambda x: np.sin(x), 'net.layer("sin", x)'),
    "arctan": (lambda x: np.arctan(x), "with a kind of client.layers()"),
    "greater": (lambda x: np.float64(2) > x, "with a kind of client.layers()"),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_of_numpy_is_led_to_what_computes_it(name: str) -> None:
    net = Network()
    build, mend = FUNCTIONS[name]
    with pytest.raises(TypeError) as caught:
        build(net.input("x", (4,)))
    assert str(caught.value).startswith(f"np.{name} cannot compute with a place of a network")
    assert mend in str(caught.value) and not net.spec()["nodes"]


@pytest.mark.parametrize(
    "build, words",
    [
        (lambda x: x.sum(dim=1), "sum() has no argument 'dim'; here it is 'axis'"),
        (lambda x: x.mean(axes=0), "mean() has no argument 'axes'; here it is 'axis'"),
        (lambda x: x.mean(0, keepdims=True), "has no argument 'keepdims'; the axis goes"),
        (lambda x: x.sum(axis="0"), "axis: expected a whole number or several, got '0'"),
        (lambda x: x.sum(axis=True), "axis: expected a whole number or several, got True"),
        (lambda x: x.sum(axis=1.5), "axis: expected a whole number or several, got 1.5"),
    ],
)
def test_an_argument_of_another_library_is_led_to_that_of_numpy(build: Any, words: str) -> None:
    with pytest.raises(TypeError) as caught:
        build(Network().input("x", (4,)))
    assert words in str(caught.value)
