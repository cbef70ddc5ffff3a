"""The outputs of a module by name: those of dicts, tuples, named tuples, and of all in each other."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import pytest

from deltawire import Client, Refused

pytestmark = pytest.mark.torch


class Scores(NamedTuple):
    mean: Any
    largest: Any


def from_torch(call: Callable[..., Any]) -> Any:
    torch = import_module("torch")
    module = import_module("support.torch_calls").module_of(call)
    return import_module("deltawire.importers.torch_fx").from_torch(module, torch.ones(2, 3))


CALLS: dict[str, tuple[Callable[[Any, Any], Any], list[str]]] = {
    "a tensor": (lambda own, x: x * 2, [""]),
    "a tuple": (lambda own, x: (x * 2, x * 3), ["0", "1"]),
    "a dict": (lambda own, x: {"logits": x * 2, "state": x * 3}, ["logits", "state"]),
    "an ordered dict": (lambda own, x: OrderedDict(b=x * 2, a=x * 3), ["b", "a"]),
    "a named tuple": (lambda own, x: Scores(x.mean(1), x.amax(1)), ["mean", "largest"]),
    "one in another": (
        lambda own, x: {"logits": x * 2, "states": (x * 3, [x * 4])},
        ["logits", "states.0", "states.1.0"],
    ),
    "nothing beside": (lambda own, x: (x * 2, None, x * 3), ["0", "2"]),
}


@pytest.mark.parametrize("name", CALLS)
def test_outputs_are_found_and_named(name: str) -> None:
    call, names = CALLS[name]
    outputs = import_module("deltawire.importers.torch_fx.outputs")
    right = outputs.named_outputs(call(None, import_module("torch").ones(2, 3)))
    assert list(right) == names

    imported = from_torch(call)
    notes = imported.network.metadata
    named = {key.removeprefix("outputs/"): node for key, node in notes.items() if key.startswith("outputs/")}
    assert named == {name: node for name, node in zip(names, imported.outputs, strict=True) if name}
    values = Client().forward(imported.network, {}, {"x": np.ones((2, 3), "f4")}, imported.outputs)
    for node, tensor in zip(imported.outputs, right.values(), strict=True):
        np.testing.assert_array_equal(values[node], tensor.numpy())


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda own, x: {"logits": x * 2, "cache": object()},
            "output 'cache' is of object",
        ),
        (lambda own, x: (x * 2, 5), "output '1' is of int"),
        (lambda own, x: {"logits": None}, "the module returns no tensor"),
    ],
)
def test_outputs_that_are_no_tensors_are_refused(call: Any, message: str) -> None:
    with pytest.raises(Refused, match=message) as refused:
        from_torch(call)
    assert refused.value.code == "not_expressible"
