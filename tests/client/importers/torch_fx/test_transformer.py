"""Attention with masks, biases and shared heads, and tables with a padding row: as in torch, or refused."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from deltawire import Client, Network, Refused

pytestmark = pytest.mark.torch

HEADS, PLACES, WIDTH = 4, 5, 2


@pytest.fixture(scope="module")
def client() -> Client:
    return Client()


@pytest.fixture(scope="module")
def torch() -> Any:
    return import_module("torch")


def imported(
    call: Callable[..., Any], client: Client, torch: Any, dtype: str = "float64", **parts: Any
) -> Any:
    """Import a module that projects (batch, places, width) to heads, and compare it with torch."""
    torch.manual_seed(0)
    size = HEADS * WIDTH
    parts |= {name: torch.nn.Linear(size, size) for name in ("q", "k", "v")}
    module = import_module("support.torch_calls").module_of(call, **parts).double()
    from_torch = import_module("deltawire.importers.torch_fx").from_torch
    return from_torch(module, torch.randn(2, PLACES, size).double(), client=client)


def attended(own: Any, x: Any, mask: Any = None, fewer: int = HEADS, **settings: Any) -> Any:
    """Attention of the heads; the keys and values may have fewer than the queries."""
    functional = import_module("torch").nn.functional
    q, k, v = (
        part(x).view(x.size(0), PLACES, HEADS, WIDTH).transpose(1, 2) for part in (own.q, own.k, own.v)
    )
    k, v = k[:, :fewer], v[:, :fewer]
    y = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask, **settings)
    return y.transpose(1, 2).reshape(x.size(0), PLACES, HEADS * WIDTH)


def triangle(torch: Any) -> Any:
    return torch.ones(PLACES, PLACES, dtype=torch.bool).tril()


def kinds(network: Network) -> set[str]:
    return {node["kind"] for node in network.spec()["nodes"]}


def test_masks_of_booleans_and_of_the_least_number_are_the_layers(client: Client, torch: Any) -> None:
    seen = triangle(torch)
    least = torch.finfo(torch.float64).min
    masks = {
        "booleans": seen,
        "numbers": torch.zeros(1, 1, PLACES, PLACES, dtype=torch.float64).masked_fill(~seen, least),
        "infinite": torch.zeros(PLACES, PLACES, dtype=torch.float64).masked_fill(~seen, -torch.inf),
        "keys": torch.tensor([True, True, False, True, False])[None, None, None],
    }
    for mask in masks.values():
        network = imported(lambda own, x, mask=mask: attended(own, x, mask), client, torch).network
        assert "attention" in kinds(network)


def test_a_mask_of_each_head_hides_keys(client: Client, torch: Any) -> None:
    mask = torch.stack([triangle(torch), ~triangle(torch) | torch.eye(PLACES, dtype=torch.bool)] * 2)
    network = imported(lambda own, x: attended(own, x, mask, scale=0.3), client, torch).network
    assert "masked_fill" in kinds(network) and "attention" not in kinds(network)


def test_numbers_added_to_the_scores_are_added(client: Client, torch: Any) -> None:
    slopes = torch.arange(PLACES, dtype=torch.float64)[None] * torch.rand(HEADS, 1, 1, dtype=torch.float64)
    for mask in (slopes, slopes.masked_fill(~triangle(torch), -1e30)):
        assert "softmax" in kinds(
            imported(lambda own, x, mask=mask: attended(own, x, mask), client, torch).network
        )


def test_a_learned_bias_of_scores_is_learned(client: Client, torch: Any) -> None:
    """T5's: a table of a number for each distance and head, looked up by constant buckets."""
    buckets = (torch.arange(PLACES)[None] - torch.arange(PLACES)[:, None]).clamp(-2, 2) + 2

    def call(own: Any, x: Any) -> Any:
        return attended(own, x, own.table(buckets).permute(2, 0, 1)[None], scale=1.0)

    result = imported(call, client, torch, table=torch.nn.Embedding(5, HEADS))
    assert result.params["table.weight"].shape == (5, HEADS)


def test_heads_that_share_keys_are_repeated(client: Client, torch: Any) -> None:
    for fewer in (1, 2):
        call = lambda own, x, fewer=fewer: attended(own, x, None, fewer, enable_gqa=True, is_causal=True)  # noqa: E731
        assert "expand" in kinds(imported(call, client, torch).network)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda torch: torch.full((HEADS, PLACES, PLACES), -torch.inf, dtype=torch.float64), "not finite"),
        (
            lambda torch: torch.stack([triangle(torch), triangle(torch).fliplr().tril(-1)] * 2),
            "hides all keys from a query",
        ),
    ],
)
def test_masks_without_a_softmax_are_refused(make: Any, message: str, client: Client, torch: Any) -> None:
    mask = make(torch)
    with pytest.raises(Refused, match=message):
        imported(lambda own, x: attended(own, x, mask), client, torch)


def test_a_constant_is_one_input_wherever_it_is_used(client: Client, torch: Any) -> None:
    seen = triangle(torch)

    def call(own: Any, x: Any) -> Any:
        mask = ~seen
        return attended(own, attended(own, x, ~mask), ~mask)

    constants = imported(call, client, torch).constants
    assert [array.shape for array in constants.values()] == [(PLACES, PLACES)] * len(constants)
    assert len(constants) <= 2


@pytest.mark.parametrize("functional", [False, True])
@pytest.mark.parametrize("padding_idx", [0, 2, -1])
def test_a_padding_row_gets_no_gradient(
    functional: bool, padding_idx: int, client: Client, torch: Any
) -> None:
    table = torch.nn.Embedding(3, 4, padding_idx=padding_idx)
    table.weight.data = torch.randn(3, 4)  # the padding row is not 0, and still looked up
    look_up = torch.nn.functional.embedding

    def call(own: Any, x: Any) -> Any:
        return look_up(x, own.table.weight, padding_idx=padding_idx) if functional else own.table(x)

    module = import_module("support.torch_calls").module_of(call, table=table)
    from_torch = import_module("deltawire.importers.torch_fx").from_torch
    index = torch.tensor([[0, 1, 2], [2, 2, 0]])
    network, params, constants, (output,) = from_torch(module, index, client=client)
    ones = np.ones((2, 3, 4), "f4")
    products = client.vjp(network, params, {"x": index.numpy()}, {output: ones})
    module(index).sum().backward()
    ((name, gradient),) = products.items()
    np.testing.assert_array_equal(gradient, table.weight.grad.numpy())
    assert not gradient[padding_idx].any() and gradient.any()


def test_a_table_tied_to_scores_with_a_bias_is_learned_by_both(client: Client, torch: Any) -> None:
    table, scores = torch.nn.Embedding(6, 4, padding_idx=1), torch.nn.Linear(4, 6)
    scores.weight = table.weight
    call = lambda own, x: own.scores(own.table(x).tanh())  # noqa: E731
    module = import_module("support.torch_calls").module_of(call, table=table, scores=scores)
    from_torch = import_module("deltawire.importers.torch_fx").from_torch
    result = from_torch(module, torch.tensor([[0, 1, 5], [2, 3, 1]]), client=client)
    assert sorted(array.shape for array in result.params.values()) == [(6,), (6, 4)]
    assert any("tied_to" in node for node in result.network.spec()["nodes"])


def test_tied_parameters_have_their_names_in_each_module(client: Client, torch: Any) -> None:
    """torch.export reads both from one attribute; the module of each operation tells them apart."""
    table, scores = torch.nn.Embedding(6, 4), torch.nn.Linear(4, 6, bias=False)
    scores.weight = table.weight

    def call(own: Any, x: Any) -> Any:
        if x.shape[1] < 2:  # which torch.fx cannot follow
            raise AssertionError("never reached: examples have three places")
        return own.scores(own.table(x).tanh())

    module = import_module("support.torch_calls").module_of(call, table=table, scores=scores)
    from_torch = import_module("deltawire.importers.torch_fx").from_torch
    network, params, _, _ = from_torch(module, torch.tensor([[0, 1, 5], [2, 3, 1]]), client=client)
    state = import_module("deltawire.exporters.torch").to_state_dict(network, params)
    assert state.keys() == module.state_dict().keys() and list(params) == ["table.weight"]
