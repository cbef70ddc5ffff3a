"""Vector-Jacobian products: one forward pass for all, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from support.engine import compiled
from support.layers import registry
from support.networks import Example, examples
from support.oracles import distance

from deltawire.errors import Refused
from deltawire_layers import Activation, Layer
from deltawire_service.engine import compile_network
from deltawire_service.engine.plan import memory_plan

STACK = {
    "inputs": {"x": {"shape": [3]}, "y": {"shape": [], "dtype": "int64"}},
    "nodes": [
        {"name": "h", "kind": "linear", "inputs": ["x"], "config": {"units": 4}},
        {"name": "a", "kind": "tanh"},
        {"name": "o", "kind": "linear", "config": {"units": 2}},
        {"name": "loss", "kind": "softmax_nll", "inputs": ["o", "y"]},
    ],
}
DATA = {"x": np.arange(15.0).reshape(5, 3) / 7, "y": np.array([0, 1, 1, 0, 1])}


@given(examples())
def test_cotangents_of_the_loss_give_its_gradients(example: Example) -> None:
    spec = {key: value for key, value in example.spec.items() if key != "regularization"}
    network = compiled(spec)
    result = network.gradients(example.params, example.data, wrt_data=True, reduction="sum")
    rows = len(result.losses)
    weights = {name: np.full(rows, weight) for name, weight in network.loss.items()}
    products = network.vjp(example.params, example.data, weights, wrt_data=True)
    for ours, theirs in ((products.params, result.params), (products.data, result.data)):
        assert ours.keys() == theirs.keys()
        for name in ours:
            assert distance(ours[name], theirs[name]) <= 1e-14, name


def test_several_at_once_are_what_each_is_alone_also_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    network, rng = compiled(STACK), np.random.default_rng(0)
    params = network.init(0)
    cotangents = {"o": rng.standard_normal((3, 5, 2)), "a": rng.standard_normal((3, 5, 4))}
    data = {"x": DATA["x"]}
    whole = network.vjp(params, data, cotangents, wrt_data=True, values=["h"])
    monkeypatch.setattr(memory_plan, "count_chunks", lambda network, batch, itemsize: batch)
    chunked = compiled(STACK).vjp(params, data, cotangents, wrt_data=True, values=["h"])
    for index in range(3):
        alone = network.vjp(
            params, data, {name: array[index] for name, array in cotangents.items()}, wrt_data=True
        )
        for name in ("h.weight", "o.bias"):
            np.testing.assert_allclose(whole.params[name][index], alone.params[name], rtol=1e-14)
            np.testing.assert_allclose(chunked.params[name][index], alone.params[name], rtol=1e-13)
        np.testing.assert_allclose(whole.data["x"][index], alone.data["x"], rtol=1e-14)
    np.testing.assert_allclose(chunked.values["h"], whole.values["h"], rtol=1e-14)


def test_the_forward_pass_is_computed_once() -> None:
    calls = []

    class Counting(Layer):
        """y = x, for x (...)."""

        def output_shape(self, x: tuple[int, ...]) -> tuple[int, ...]:
            return x

        def forward(self, params: Any, x: np.ndarray) -> Activation:
            calls.append("forward")

            def back(delta: np.ndarray) -> np.ndarray:
                calls.append("delta")
                return delta

            return Activation(x, deltas=(back,))

    spec = {"inputs": {"x": {"shape": [2]}}, "nodes": [{"name": "c", "kind": "counting"}]}
    network = compile_network(spec, registry(counting=Counting))
    network.vjp({}, {"x": np.ones((3, 2))}, {"c": np.ones((4, 3, 2))}, wrt_data=True)
    assert calls == ["forward", *["delta"] * 4]


def test_only_what_leads_to_the_outputs_is_needed_and_the_rest_gets_zeros() -> None:
    network = compiled(STACK)
    params = network.init(0)
    given = {name: array for name, array in params.items() if name.startswith("h.")}
    products = network.vjp(given, {"x": DATA["x"]}, {"a": np.ones((5, 4))})
    assert not products.params["o.weight"].any() and products.params["o.weight"].shape == (2, 4)
    assert products.params["h.weight"].any()


def test_float32_stays_float32() -> None:
    network = compiled(STACK)
    data = {"x": DATA["x"].astype("f4")}
    products = network.vjp(network.init(0, "f4"), data, {"o": np.ones((5, 2), "f4")}, wrt_data=True)
    assert {array.dtype.name for part in (products.params, products.data) for array in part.values()} == {
        "float32"
    }


ONE = np.ones((5, 2))


@pytest.mark.parametrize(
    "cotangents, pointer, code",
    [
        ({}, "/cotangents", "field_invalid"),
        ({"oh": ONE}, "/cotangents/oh", "unknown_name"),
        ({"x": np.ones((5, 3))}, "/cotangents/x", "unknown_name"),
        ({"y": np.ones(5)}, "/cotangents/y", "unknown_name"),
        ({"o": np.ones((5, 3))}, "/cotangents/o", "shape_mismatch"),
        ({"o": np.ones((4, 2))}, "/cotangents/o", "shape_mismatch"),
        ({"o": np.ones(2)}, "/cotangents/o", "shape_mismatch"),
        ({"o": np.ones((0, 5, 2))}, "/cotangents/o", "shape_mismatch"),
        ({"o": np.ones((2, 2, 5, 2))}, "/cotangents/o", "shape_mismatch"),
        ({"o": np.ones((2, 5, 2)), "a": np.ones((3, 5, 4))}, "/cotangents/a", "shape_mismatch"),
        ({"o": ONE, "a": np.ones((1, 5, 4))}, "/cotangents/a", "shape_mismatch"),
        ({"o": ONE.astype("f4")}, "/cotangents/o", "dtype_mismatch"),
        ({"o": ONE.astype(int)}, "/cotangents/o", "dtype_mismatch"),
        ({"o": ONE * np.nan}, "/cotangents/o", "non_finite"),
        ({"o": np.broadcast_to(ONE, (10**6, 5, 2))}, "/network", "memory_plan_exceeded"),
    ],
)
def test_what_is_refused(cotangents: dict[str, np.ndarray], pointer: str, code: str) -> None:
    network = compiled(STACK)
    data = {"x": DATA["x"]} if "y" not in cotangents else DATA
    with pytest.raises(Refused) as refused:
        network.vjp(network.init(0), data, cotangents)
    assert (refused.value.pointer, refused.value.code) == (pointer, code)


def test_a_product_that_overflows_names_its_node() -> None:
    network = compiled({"inputs": {"x": {"shape": []}}, "nodes": [{"name": "e", "kind": "exp"}]})
    at, huge = {"x": np.array([700.0])}, {"e": np.array([1e300])}
    with pytest.raises(Refused, match="delta sent to 'x' is the first that is not finite"):
        network.vjp({}, at, huge, wrt_data=True)
    products = network.vjp({}, at, huge, wrt_data=True, non_finite="return")
    assert products.data["x"][0] == np.inf
