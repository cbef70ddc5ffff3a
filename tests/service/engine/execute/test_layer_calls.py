"""What a layer may give, held at run time; the ways over real requests are in tests/torture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from marshmallow import Schema, fields
from support.layers import registry
from torture.layers import Times

from deltawire_layers import Activation, Layer, LayerError, Parameter
from deltawire_layers.initializers import Constant
from deltawire_service.engine import Network, PluginError, compile_network

X = np.array([[1.0, 2.0], [3.0, 4.0]])


def network(*layers: type[Layer]) -> Network:
    kinds = {f"kind{place}": layer for place, layer in enumerate(layers)}
    nodes = [{"kind": kind, "name": f"n{place}"} for place, kind in enumerate(kinds)]
    return compile_network(
        {"inputs": {"x": {"shape": [2]}}, "nodes": [*nodes, {"kind": "sum"}]}, registry(**kinds)
    )


def forwarding(forward: Callable[[Any], Any]) -> type[Layer]:
    """A layer y = forward(x), for x (...); its delta is passed down as it is."""

    class Forwarding(Layer):
        """y = f(x), for x (...)."""

        def output_shape(self, x: tuple[int, ...]) -> tuple[int, ...]:
            return x

        def forward(self, params: Mapping[str, Any], x: Any) -> Activation:
            return Activation(forward(x), deltas=(lambda delta: delta,))

    return Forwarding


def with_(**members: Any) -> type[Layer]:
    return type("Broken", (Times,), members)


def test_a_buffer_that_is_filled_again_is_named_and_harms_nobody() -> None:
    buffer = np.zeros((8, 2))

    def fill(x: Any) -> Any:
        buffer[: len(x)] = x
        return buffer[: len(x)]

    made = network(forwarding(fill))
    first = made.gradients({}, {"x": X}, values=["n0"])
    with pytest.raises(PluginError):
        made.gradients({}, {"x": -X})
    assert np.array_equal(first.values["n0"], X)


def test_numpys_error_handling_is_the_next_layers_own() -> None:
    def disturbs(x: Any) -> Any:
        np.seterr(all="raise")
        return x

    before = np.geterr()
    found = network(forwarding(disturbs), forwarding(lambda x: x / np.zeros(2)))
    assert found.gradients({}, {"x": X}, non_finite="return").loss == np.inf
    assert np.geterr() == before


def test_the_callers_own_arrays_stay_writable() -> None:
    """Layers may give back their arguments; what is the caller's is not locked for that."""
    x = X.copy()
    network(forwarding(lambda x: x), forwarding(lambda x: x[:])).gradients({}, {"x": x}, wrt_data=True)
    x += 1


def test_the_keyboard_interrupts_the_main_thread() -> None:
    def interrupted(x: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        network(forwarding(interrupted)).gradients({}, {"x": X})


class Unwritable(Schema):
    at = fields.Raw(load_default=object())


def refusing(input: Any) -> Callable[..., Any]:
    def output_shape(self: Layer, x: Any) -> Any:
        raise LayerError("no", input=input)

    return output_shape


@pytest.mark.parametrize(
    ("member", "given"),
    [
        ("Config", Unwritable),
        ("output_shape", refusing(3)),
        ("output_shape", refusing("x")),
        ("output_shape", lambda self, x: (True,)),
        ("__new__", lambda cls, **config: 5),
        ("parameters", lambda self, x: {"w": Parameter(x, None)}),
        ("integer_inputs", lambda self, x: {0: range(0, 10, 2)}),
        ("integer_inputs", lambda self, x: {False: range(3)}),
        ("saved", lambda self, x: True),
    ],
)
def test_what_is_wrong_before_there_is_a_batch_is_named(member: str, given: Any) -> None:
    with pytest.raises(PluginError, match="node 'n0': layer 'kind0'"):
        network(with_(**{member: given}))


@pytest.mark.parametrize(
    "drawn", [np.ones(2, int), np.ones(2, object), np.ones(2, complex), np.ma.masked_invalid(np.ones(2))]
)
def test_a_parameter_starts_as_float64(drawn: Any) -> None:
    made = network(with_(parameters=lambda self, x: {"w": Parameter(x, lambda stream, shape: drawn)}))
    with pytest.raises(PluginError, match="parameter 'n0.w' starts with"):
        made.init(0)


@pytest.mark.parametrize(
    "number, dtype, message",
    [
        (np.nan, "float64", "parameter 'n0.w' starts with array"),
        (np.inf, "float64", "parameter 'n0.w' starts with array"),
        (1e300, "float32", "numbers that are not finite in float32 for its draw of 'n0.w'"),
    ],
)
def test_a_parameter_starts_with_finite_numbers(number: float, dtype: str, message: str) -> None:
    made = network(with_(parameters=lambda self, x: {"w": Parameter(x, Constant(number))}))
    with pytest.raises(PluginError, match=message):
        made.init(0, dtype)


@pytest.mark.parametrize(
    "init", [lambda stream, shape: np.zeros((1, *shape)), lambda stream, shape: 0.0, lambda: None]
)
def test_a_layer_that_draws_nonsense_is_named(init: Any) -> None:
    bad = with_(parameters=lambda self, x: {"w": Parameter((2,), init)})
    with pytest.raises(PluginError, match="node 'n0': layer 'kind0'"):
        network(bad).init(0)
