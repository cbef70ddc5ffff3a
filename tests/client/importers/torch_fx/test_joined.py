"""Rows joined with the batch, x.view(-1, width): computed row by row as in torch, or refused by name."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

from deltawire import Client, Refused

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def client() -> Client:
    return Client()


def imported(call: Callable[..., Any], client: Client, **options: Any) -> Any:
    """Import a module of two matrices for sequences (batch, 3, 4), and compare it with torch."""
    torch = import_module("torch")
    torch.manual_seed(0)
    parts = {"wide": torch.nn.Linear(4, 6), "matrix": torch.nn.Parameter(torch.randn(4, 5))}
    parts |= {"bias": torch.nn.Parameter(torch.randn(5)), "norm": torch.nn.LayerNorm(4)}
    module = import_module("support.torch_calls").module_of(call, **parts, torch=torch)
    from_torch = import_module("deltawire.importers.torch_fx").from_torch
    return from_torch(module, torch.randn(2, 3, 4), client=client, **options)


ROWWISE: dict[str, Callable[[Any, Any], Any]] = {
    "addmm, as in GPT-2": lambda own, x: own.torch.addmm(own.bias, x.view(-1, 4), own.matrix).view(-1, 3, 5),
    "a module": lambda own, x: own.wide(x.reshape(-1, 4)).view(x.size(0), 3, 6),
    "functions": lambda own, x: (own.norm(x.view(-1, 4)).tanh() * 2 + 1).softmax(-1).view(x.shape),
    "two of them": lambda own, x: (x.view(-1, 4) + x.view(-1, 4).sigmoid()).view(x.shape),
    "a sum of a row": lambda own, x: x.view(-1, 4).sum(1, keepdim=True).view(-1, 3),
    "one number a row": lambda own, x: own.wide(x.view(-1, 1, 4)).view(x.size(0), -1),
    "other rows": lambda own, x: (x.view(-1, 4) * 2).view(-1, 2).exp().view(x.shape),
    "products of heads": lambda own, x: own.torch.bmm(
        x.reshape(-1, 2, 2), x.reshape(-1, 2, 2).transpose(1, 2)
    ).view(x.size(0), 3, 2, 2),
}


@pytest.mark.parametrize("name", ROWWISE)
def test_rows_are_computed_as_in_torch(name: str, client: Client) -> None:
    assert imported(ROWWISE[name], client).outputs


REFUSED: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "a softmax over rows": (
        lambda own, x: x.view(-1, 4).softmax(0).view(x.shape),
        "softmax .*along the batch",
    ),
    "a sum over rows": (lambda own, x: x.view(-1, 4).sum(0), "sum.*: takes 'x', whose rows"),
    "a cumulative sum": (
        lambda own, x: x.view(-1, 4).cumsum(0).view(x.shape),
        "cumsum .*: takes 'x', whose rows are joined with the batch, and is expressed for whole examples",
    ),
    "rows of other examples": (lambda own, x: x.view(-1, 4).flip(0).view(x.shape), "flip .*: takes 'x'"),
    "a part": (lambda own, x: x.view(-1, 4)[1:], "getitem .*: takes 'x', whose rows are joined"),
    "rows beside examples": (
        lambda own, x: x.view(-1, 1, 4) + own.torch.cat([x, x, x]).view(-1, 3, 4),
        "cat|add",
    ),
    "an output": (lambda own, x: own.wide(x.view(-1, 4)), "the output: its leading axis joins the batch"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_rows_that_depend_on_each_other_are_refused(name: str, client: Client) -> None:
    call, message = REFUSED[name]
    with pytest.raises(Refused, match=message) as refused:
        imported(call, client, check=False)
    assert refused.value.code == "not_expressible"
