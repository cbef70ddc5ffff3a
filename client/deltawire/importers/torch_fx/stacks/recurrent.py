"""Translate torch's recurrent modules: a node for each stacked layer and direction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from deltawire.importers.arguments import Default
from deltawire.importers.operands import Unavailable, Value
from deltawire.importers.site import Site

Own = Callable[[str], Any]
"""Returns the `Stored` parameter of a module by its local name; None when there is none."""

KINDS = {"RNN": "elman", "GRU": "gru", "LSTM": "lstm"}


def recurrent(at: Site, module: nn.RNNBase, own: Own, input: Value, hx: Default = None) -> Any:
    """Add the layers; those of one place in the stack, forward and backward, are joined.

    Args:
        at: The operation.
        module: The module.
        own: Its parameters, by local name.
        input: The sequence, (batch, steps, n).
        hx: Refused unless it is None.
    """
    if not module.batch_first:
        at.refuse("expected batch_first=True: the batch is the leading axis")
    if module.proj_size:
        at.refuse(f"proj_size={module.proj_size}: the layer lstm has no projection")
    if module.training and module.dropout:
        at.refuse("drops numbers at random; networks are imported as they are in eval mode")
    x = input
    for number in range(module.num_layers):
        last = number == module.num_layers - 1
        x = _layer(at, module, own, x, number, at.name if last else f"{at.name}_l{number}")
    return x, Unavailable(f"the last state of {at.label} is no value: take the last step of its output")


def _layer(at: Site, module: nn.RNNBase, own: Own, x: Value, number: int, name: str) -> Value:
    """Add one place in the stack.

    Args:
        at: The operation.
        module: The module.
        own: Its parameters, by local name.
        x: The input, (steps, n).
        number: The place, from 0.
        name: The name of its last node.
    """
    settings = {"units": module.hidden_size} | ({} if module.bias else {"bias": False})
    if getattr(module, "nonlinearity", "tanh") != "tanh":
        settings["nonlinearity"] = module.nonlinearity
    shape = (x.shape[0], module.hidden_size)

    def one(direction: str, name: str, **more: Any) -> Value:
        names = ("weight_ih", "weight_hh") + (("bias_ih", "bias_hh") if module.bias else ())
        stored = {local: own(f"{local}_l{number}{direction}") for local in names}
        return at.layer(KINDS[at.function], x, out=shape, params=stored, name=name, **settings, **more)

    if not module.bidirectional:
        return one("", name)
    both = one("", f"{name}_forward"), one("_reverse", f"{name}_reverse", reverse=True)
    out = (shape[0], 2 * module.hidden_size)
    return at.layer("concat", *both, out=out, name=name, axis=1)
