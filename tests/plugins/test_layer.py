"""The contract's own small parts: configuration, arity, defaults."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pytest
from marshmallow import Schema, ValidationError, fields

from deltawire_layers import Activation, Layer, LayerError, arity, check_layer, identity, load_layers
from deltawire_layers.shapes import equal_shapes

Shape = tuple[int, ...]


class Scaled(Layer):
    """y = factor · a, for a (...); b is not used."""

    class Config(Schema):
        factor = fields.Float(load_default=2.0)

    factor: float

    def output_shape(self, a: Shape, b: Shape) -> Shape:
        return a

    def forward(self, params: Mapping[str, Any], a: Any, b: Any) -> Activation:
        return Activation(self.factor * a, deltas=(lambda delta: self.factor * delta, None))


class Many(Layer):
    """y = first, for any number of inputs."""

    def output_shape(self, first: Shape, *more: Shape) -> Shape:
        return first


def test_configuration_becomes_attributes() -> None:
    assert vars(Scaled()) == {"factor": 2.0}
    assert vars(Scaled(factor=3)) == {"factor": 3.0}


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(ValidationError, match="factr"):
        Scaled(factr=3)
    with pytest.raises(ValidationError, match="anything"):
        Many(anything=1)


def test_a_layer_declares_nothing_unless_it_says_so() -> None:
    layer = Scaled()
    shapes = (3,), (3,)
    assert (layer.parameters(*shapes), layer.integer_inputs(*shapes), layer.saved(*shapes)) == ({}, {}, 0)
    assert (layer.elementwise, layer.domain, layer.formula) == (False, (-np.inf, np.inf), None)


@pytest.mark.parametrize("method", ["output_shape", "forward"])
def test_a_layer_without_its_own_methods_says_which_one_is_missing(method: str) -> None:
    class Empty(Layer):
        """y = ?"""

    with pytest.raises(TypeError, match=f"Empty must define {method}"):
        getattr(Empty(), method)({})


def test_arity_is_read_from_the_signature_of_output_shape() -> None:
    two, many = arity(Scaled()), arity(Many())
    assert (two.names, two.variadic, str(two)) == (("a", "b"), False, "2 inputs (a, b)")
    assert [two.accepts(count) for count in range(4)] == [False, False, True, False]
    assert (many.names, many.variadic, str(many)) == (("first",), True, "at least 1 input (first)")
    assert [many.accepts(count) for count in range(4)] == [False, True, True, True]


class Stack(Layer):
    """y = the inputs along a new last axis."""

    def output_shape(self, *x: Shape) -> Shape:
        equal_shapes(*x)
        return (*x[0], len(x))

    def forward(self, params: Mapping[str, Any], *x: Any) -> Activation:
        def part(place: int, delta: Any) -> Any:
            return delta[..., place]

        return Activation(np.stack(x, axis=-1), deltas=tuple(partial(part, place) for place in range(len(x))))


def test_a_star_alone_stands_for_at_least_one_input() -> None:
    some = arity(Stack())
    assert (some.names, some.variadic, str(some)) == (("x",), True, "at least 1 input (x)")
    assert [some.accepts(count) for count in range(4)] == [False, True, True, True]


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_the_kit_takes_a_layer_of_any_number_of_inputs(count: int) -> None:
    check_layer(Stack(), *[(3,)] * count)


class Optional(Layer):
    """y = x + a + b, where a, or b too, may be left out."""

    def output_shape(self, x: Shape, a: Shape | None = None, b: Shape | None = None) -> Shape:
        return x

    def forward(self, params: Mapping[str, Any], x: Any, a: Any = None, b: Any = None) -> Activation:
        given = [array for array in (a, b) if array is not None]
        return Activation(sum(given, 0 * x) + x, deltas=(identity,) * (1 + len(given)))


def test_an_input_with_a_default_may_be_left_out() -> None:
    some = arity(Optional())
    assert (some.names, some.optional, some.every) == (("x",), ("a", "b"), ("x", "a", "b"))
    assert not some.variadic and str(some) == "1 input (x), and a, then b if wanted"
    assert [some.accepts(count) for count in range(5)] == [False, True, True, True, False]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_kit_takes_a_layer_with_optional_inputs(count: int) -> None:
    check_layer(Optional(), *[(3,)] * count)


@pytest.mark.parametrize("count", [4, 5])
def test_the_kit_refuses_another_number_of_inputs(count: int) -> None:
    with pytest.raises(TypeError, match=r"Optional takes 1 input \(x\), and a, then b if wanted, got"):
        check_layer(Optional(), *[(3,)] * count)


def test_a_class_and_its_instances_have_one_arity() -> None:
    built_in = load_layers()
    assert arity(Scaled) == arity(Scaled())
    assert str(arity(built_in["relu"])) == "1 input (x)"
    assert arity(built_in["linear"]) == arity(built_in["linear"](units=1))


def test_an_activation_has_no_gradients_and_a_plain_signal_by_default() -> None:
    activation = Scaled().forward({}, np.ones((1, 2)), np.ones((1, 2)))
    delta = np.ones((1, 2))
    assert dict(activation.grads) == {}
    assert activation.signal is identity and identity(delta) is delta
    with pytest.raises(TypeError):
        activation.grads["weight"] = identity  # type: ignore[index]


def test_a_layer_error_knows_the_input_at_fault() -> None:
    assert (str(LayerError("too short", input=2)), LayerError("too short", input=2).input) == ("too short", 2)
    assert LayerError("do not fit").input is None
