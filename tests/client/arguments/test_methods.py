"""Methods of a client have the help of methods, and their refusals show the caller's line alone."""

from __future__ import annotations

import inspect
import traceback
from typing import Any

import numpy as np
import pytest

from deltawire import Client, Network, Refused, optim

CLIENT = Client()


def net() -> Network:
    net = Network()
    net.loss = net.layer("squared_error", net.input("x"), net.input("y"))
    return net


def test_the_help_of_a_method_has_no_client() -> None:
    for name, method in inspect.getmembers(Client, inspect.isfunction):
        if not name.startswith("_"):
            assert next(iter(inspect.signature(method).parameters)) == "self", name
            assert "client: The client that asks." not in (method.__doc__ or ""), name
    assert "network: A network" in str(Client.value_and_grad.__doc__)


@pytest.mark.parametrize(
    "call",
    [
        lambda: CLIENT.value_and_grad(net(), {}, {"x": [1.0]}),
        lambda: CLIENT.hvp(net(), {}, {"x": [1.0], "y": "no"}, {"x": [1.0]}),
        lambda: optim.fit(CLIENT, net(), {}, {"x": np.ones(3), "y": np.full(3, np.nan)}, optim.sgd()),
    ],
)
def test_a_refusal_shows_the_callers_line(call: Any) -> None:
    with pytest.raises(Refused) as caught:
        call()
    lines = traceback.extract_tb(caught.value.__traceback__)
    assert [line.name for line in lines[1:]] == ["<lambda>", "call"]


def test_an_argument_that_was_forgotten_is_named_with_the_others() -> None:
    forgotten: Any = CLIENT.forward
    with pytest.raises(TypeError, match=r"'data'; it takes \(network, params, data\)$"):
        forgotten(net(), {"x": [1.0]})
    with pytest.raises(TypeError, match="unexpected keyword argument 'batch'"):
        forgotten(net(), {}, {"x": [1.0]}, batch=3)


def test_a_mistake_of_the_sdk_keeps_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise TypeError("broken")

    monkeypatch.setattr("deltawire.computations.wrt_document", broken)
    with pytest.raises(TypeError, match="^broken$") as caught:
        CLIENT.value_and_grad(net(), {}, {"x": [1.0], "y": [1.0]})
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "broken"
