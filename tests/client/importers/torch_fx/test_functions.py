"""Functions of torch that several layers express: torch's numbers, or a refusal by name."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

from deltawire import Client, Refused

pytestmark = pytest.mark.torch

CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "celu": lambda own, x: own.f.celu(x) + own.f.celu(x, 0.7),
    "selu": lambda own, x: own.f.selu(x),
    "logsigmoid": lambda own, x: own.f.logsigmoid(20 * x),
    "softmin": lambda own, x: own.f.softmin(x, 1) + own.f.softmin(x, dim=-1),
    "softplus": lambda own, x: own.f.softplus(x, beta=2),
    "softsign": lambda own, x: own.f.softsign(x),
    "softshrink": lambda own, x: own.f.softshrink(x, 0.3),
    "tanhshrink": lambda own, x: own.f.tanhshrink(x),
    "threshold": lambda own, x: own.f.threshold(x, 0.2, 0.2),
    "gather": lambda own, x: x.gather(1, own.places.expand(x.size(0), 2, 4)),
    "a product over letters": lambda own, x: own.t.einsum("bij,bkj->bik", x, x),
    "with spaces and capitals": lambda own, x: own.t.einsum("B I J, B K J -> B J I", [x, x]),
    "with a parameter": lambda own, x: own.t.einsum("bij,kj->bki", x, own.matrix),
    "with a constant": lambda own, x: own.t.einsum("jk,bij->bik", own.fixed, x),
    "bilinear": lambda own, x: own.bilinear(x, x.exp()),
}

REFUSED: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "a jump": (lambda own, x: own.f.threshold(x, 0.2, 2.0), "has a jump"),
    "other axes": (
        lambda own, x: x.gather(2, own.places.expand(x.size(0), 2, 4)[:, :1]),
        "along one axis only",
    ),
    "over the batch": (lambda own, x: own.t.einsum("bij,bkj->ik", x, x), "the first letter|is the batch"),
    "no arrow": (lambda own, x: own.t.einsum("bij,bkj", x, x), "is the batch"),
    "dots": (lambda own, x: own.t.einsum("b...j,b...j->b...", x, x), "is the batch"),
}


@pytest.fixture(scope="module")
def torch() -> Any:
    return import_module("torch")


@pytest.fixture(scope="module")
def client() -> Client:
    return Client()


def model(torch: Any, call: Callable[[Any, Any], Any]) -> Any:
    class Model(torch.nn.Module):  # type: ignore[misc,name-defined]
        t, f = torch, torch.nn.functional

        def __init__(self) -> None:
            super().__init__()
            self.matrix = torch.nn.Parameter(torch.randn(3, 4))
            self.bilinear = torch.nn.Bilinear(4, 4, 3)
            self.register_buffer("fixed", torch.randn(4, 3))
            self.register_buffer("places", torch.tensor([[[0, 1, 1, 0], [2, 2, 0, 1]]]))

        def forward(self, x: Any) -> Any:
            return call(self, x)

    torch.manual_seed(0)
    return Model()


@pytest.mark.parametrize("name", CALLS)
def test_functions(name: str, torch: Any, client: Client) -> None:
    module, x = model(torch, CALLS[name]), torch.randn(2, 3, 4)
    assert import_module("support.torch_difference").verdict(module, x, client=client) == "right"


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_name(name: str, torch: Any, client: Client) -> None:
    call, message = REFUSED[name]
    with pytest.raises(Refused, match=message):
        import_module("support.torch_difference").verdict(
            model(torch, call), torch.randn(2, 3, 4), client=client
        )


def test_integers_gather_too(torch: Any, client: Client) -> None:
    class Model(torch.nn.Module):  # type: ignore[misc,name-defined]
        def forward(self, x: Any, index: Any) -> Any:
            return x.gather(1, index)

    x, index = torch.randn(2, 3, 4), torch.randint(0, 3, (2, 5, 4))
    assert import_module("support.torch_difference").verdict(Model(), x, index, client=client) == "right"
