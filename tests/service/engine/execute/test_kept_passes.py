"""Kept forward passes: the same bits as without, found for the same numbers of the same owner only."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from math import inf
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.engine import compiled
from support.networks import Example, examples

from deltawire.errors import Refused
from deltawire_layers import Array
from deltawire_service.engine import KeptPasses, Network
from deltawire_service.engine.execute import kept_passes
from deltawire_service.engine.network import Arrays

SPEC: dict[str, Any] = {
    "inputs": {"x": {"shape": [3]}, "noise": {"shape": [4], "noise": {"normal": 1.0}}},
    "nodes": [
        {"name": "a", "kind": "linear", "config": {"units": 4}, "inputs": ["x"]},
        {"name": "b", "kind": "tanh"},
        {"name": "c", "kind": "add", "inputs": ["b", "noise"]},
        {"name": "d", "kind": "sum"},
    ],
}
PARAMS = {"a.weight": np.arange(12.0).reshape(4, 3) / 9, "a.bias": np.array([0.1, -0.2, 0.3, 0.0])}
X = np.linspace(-1, 1, 12).reshape(4, 3)
ONES = {"c": np.ones((4, 4))}


class Somebody:
    """Whoever is answered: an owner, and how often a pass was found for them."""

    def __init__(self) -> None:
        self.name: Hashable | None = "ann"
        self.found = 0

    def owner(self) -> Hashable | None:
        return self.name

    def on_reuse(self, seconds: float) -> None:
        assert seconds > 0
        self.found += 1


@pytest.fixture(autouse=True)
def small_passes_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_passes, "LEAST_OPERATIONS", 0)


@pytest.fixture
def somebody() -> Somebody:
    return Somebody()


def keeping(network: Network, somebody: Somebody, most_bytes: int = 2**26) -> Network:
    return replace(network, kept_passes=KeptPasses(most_bytes, somebody))


@pytest.fixture
def network(somebody: Somebody) -> Network:
    return keeping(compiled(SPEC), somebody)


def product(network: Network, params: Arrays = PARAMS, x: Array = X) -> dict[str, Array]:
    cotangents = {"c": np.ones((len(x), 4), x.dtype)}
    result = network.vjp(params, {"x": x}, cotangents, wrt_data=True, values=["c"])
    return {**result.params, **result.data, **result.values}


def bits(arrays: Arrays) -> dict[str, bytes]:
    return {name: np.asarray(array).tobytes() for name, array in arrays.items()}


@settings(max_examples=settings.default.max_examples // 4)
@given(examples(), st.sampled_from(["float32", "float64"]), st.sampled_from([0, inf]))
def test_values_and_products_have_the_bits_they_have_without(
    example: Example, dtype: str, flat_after: float
) -> None:
    example = example.astype(dtype)
    network = replace(compiled(example.spec), flat_after=flat_after)
    somebody = Somebody()
    kept = keeping(network, somebody)
    outputs = list(network.loss)

    def answers(network: Network) -> list[dict[str, bytes]]:
        values = network.forward(example.params, example.data, outputs)
        cotangents = {name: np.stack([array, 2 - array]) for name, array in values.items()}
        both = network.vjp(example.params, example.data, cotangents, wrt_data=True)
        one = network.vjp(
            example.params, example.data, {outputs[0]: values[outputs[0]]}, wrt_params=False, wrt_data=True
        )
        loss = network.gradients(example.params, example.data, wrt_params=False, values=outputs)
        whole = network.gradients(example.params, example.data, wrt_data=True)
        parts = [part for each in (both, one, loss, whole) for part in (each.params, each.data)]
        losses = {str(i): each.losses for i, each in enumerate((loss, whole))}
        return [bits(part) for part in (values, *parts, loss.values, losses)]

    expected = answers(network)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept_passes, "LEAST_OPERATIONS", 0)
        for _ in range(3):
            assert answers(kept) == expected
    assert somebody.found >= 7  # all but the first values, the first product, and what they did not save


def test_a_product_continues_the_values_before_it(network: Network, somebody: Somebody) -> None:
    expected = bits(product(compiled(SPEC)))
    assert bits(product(network)) == expected
    assert somebody.found == 0
    moved = X + 1
    network.forward(PARAMS, {"x": moved}, ["c"])
    assert somebody.found == 0
    assert bits(product(network, x=moved)) == bits(product(compiled(SPEC), x=moved))
    assert somebody.found == 1


def test_a_gradient_continues_the_loss_before_it(network: Network, somebody: Somebody) -> None:
    network, plain = (compiled(SPEC | {"loss": "d"}) for _ in range(2))
    network = keeping(network, somebody)
    for _ in range(2):  # a training
        network.gradients(PARAMS, {"x": X})
    assert somebody.found == 0
    alone = network.gradients(PARAMS, {"x": X}, wrt_params=False)
    assert (alone.params, alone.data, somebody.found) == ({}, {}, 0)
    expected = plain.gradients(PARAMS, {"x": X}, wrt_data=True)
    found = network.gradients(PARAMS, {"x": X}, wrt_data=True)
    assert somebody.found == 1
    assert (bits(found.params), bits(found.data)) == (bits(expected.params), bits(expected.data))
    assert found.loss == alone.loss == expected.loss


def test_values_continue_the_product_before_them(network: Network, somebody: Somebody) -> None:
    product(network)
    assert bits(network.forward(PARAMS, {"x": X}, ["c"])) == bits(
        compiled(SPEC).forward(PARAMS, {"x": X}, ["c"])
    )
    assert somebody.found == 1


def test_where_no_product_was_asked_for_nothing_is_kept(network: Network, somebody: Somebody) -> None:
    for _ in range(3):
        network.forward(PARAMS, {"x": X}, ["c"])
    assert somebody.found == 0


def next_number(array: Array) -> Array:
    """The array with its last number moved by one bit."""
    moved = array.copy()
    moved.flat[-1] = np.nextafter(moved.flat[-1], np.inf)
    return moved


OTHER: dict[str, dict[str, Any]] = {
    "a row less": {"x": X[:3]},
    "one bit of the data": {"x": next_number(X)},
    "one bit of the parameters": {"params": PARAMS | {"a.bias": next_number(PARAMS["a.bias"])}},
    "the sign of a zero": {"params": PARAMS | {"a.bias": np.array([0.1, -0.2, 0.3, -0.0])}},
    "another dtype": {
        "x": X.astype("float32"), "params": {name: array.astype("float32") for name, array in PARAMS.items()},
    },
}  # fmt: skip


@pytest.mark.parametrize("other", OTHER)
def test_other_numbers_are_computed(network: Network, somebody: Somebody, other: str) -> None:
    product(network)
    assert bits(product(network, **OTHER[other])) == bits(product(compiled(SPEC), **OTHER[other]))
    assert somebody.found == 0


def test_other_noise_is_computed(network: Network, somebody: Somebody) -> None:
    product(network)
    assert bits(product(network.with_noise(1))) == bits(product(compiled(SPEC).with_noise(1)))
    product(network.with_noise(2))
    assert somebody.found == 0
    product(network.with_noise(1))
    assert somebody.found == 1


def test_another_network_of_the_same_spec_is_computed(network: Network, somebody: Somebody) -> None:
    product(network)
    product(replace(compiled(SPEC), kept_passes=network.kept_passes))
    assert somebody.found == 0


def test_more_than_was_saved_is_computed(network: Network, somebody: Somebody) -> None:
    network.vjp(PARAMS, {"x": X}, ONES, wrt_params=["a.bias"])
    network.vjp(PARAMS, {"x": X}, {"b": ONES["c"]})  # its values are not among the results
    assert somebody.found == 0
    network.vjp(PARAMS, {"x": X}, {"b": ONES["c"]}, wrt_params=["a.weight"])
    assert somebody.found == 1


def test_owners_never_meet(network: Network, somebody: Somebody) -> None:
    product(network)
    somebody.name = "bob"
    product(network)
    assert somebody.found == 0
    somebody.name = "ann"
    product(network)
    assert somebody.found == 1


def test_without_an_owner_nothing_is_kept_and_nothing_is_found(network: Network, somebody: Somebody) -> None:
    product(network)
    somebody.name = None
    product(network)
    product(network, x=X + 1)
    somebody.name = "ann"
    product(network, x=X + 1)
    assert somebody.found == 0


def test_the_least_recently_used_goes_first(network: Network, somebody: Somebody) -> None:
    for i in range(kept_passes.MOST_PASSES):
        product(network, x=X + i)
    product(network)  # used again
    product(network, x=X - 1)  # one too many
    assert somebody.found == 1
    product(network)
    assert somebody.found == 2
    product(network, x=X + 1)
    assert somebody.found == 2


def test_bytes_are_bounded(somebody: Somebody) -> None:
    cotangents = ONES["c"].nbytes
    size = kept_passes.kept_bytes(compiled(SPEC).plan(4)) + cotangents
    network = keeping(compiled(SPEC), somebody, most_bytes=2 * size)
    for x in (X, X + 1, X + 2):
        product(network, x=x)
    product(network, x=X + 1)
    assert somebody.found == 1
    product(network)
    assert somebody.found == 1
    small = keeping(compiled(SPEC), somebody, most_bytes=size - 1)
    product(small)
    product(small)
    assert somebody.found == 1


def test_a_pass_of_several_chunks_is_not_kept(
    network: Network, somebody: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deltawire_service.engine.plan import memory_plan

    monkeypatch.setattr(memory_plan, "count_chunks", lambda network, batch, itemsize: 2)
    assert bits(product(network)) == bits(product(compiled(SPEC)))
    product(network)
    assert somebody.found == 0


def test_a_small_pass_is_not_kept(
    network: Network, somebody: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_passes, "LEAST_OPERATIONS", 2**20)
    product(network)
    product(network)
    assert somebody.found == 0


@pytest.mark.filterwarnings("error")
def test_numbers_that_are_not_finite_are_refused_again(network: Network, somebody: Somebody) -> None:
    product(network)
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            network.forward(PARAMS, {"x": np.full((4, 3), np.inf)}, ["a"])
        assert [fault.code for fault in refused.value.faults] == ["non_finite"]
    assert somebody.found == 0
