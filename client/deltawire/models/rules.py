"""Optimizers of models as documents: complete, or only what changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deltawire.arrays import plain_json
from deltawire.errors import Fault, Refused, wrong_argument
from deltawire.optim import Optimizer

Rule = Optimizer | Mapping[str, Any]
"""An optimizer of `deltawire.optim`, or its JSON: `{"kind": "adam", "config": {"learning_rate": 1e-3}}`."""


def rule_document(optimizer: Any) -> dict[str, Any]:
    """Return the JSON of an optimizer.

    Raises:
        Refused: It is none, or it has taken steps: its state would be lost.
    """
    if isinstance(optimizer, Optimizer):
        if optimizer.steps:
            detail = (
                f"the optimizer has taken {optimizer.steps} steps, and a model begins without its state: "
                f"pass a new one, as in optim.{optimizer.kind}(…)"
            )
            raise Refused([Fault("/optimizer", "field_invalid", detail)])
        return optimizer.rule()
    if not isinstance(optimizer, Mapping):
        expected = 'an optimizer, as optim.adam(1e-3), or {"kind": "adam", "config": {"learning_rate": 1e-3}}'
        raise wrong_argument("/optimizer", expected, optimizer)
    document: dict[str, Any] = plain_json(optimizer, "/optimizer")
    return document


def rule_changes(optimizer: Any, learning_rate: Any) -> dict[str, Any]:
    """Return the JSON of what changes in the optimizer of a model; empty for nothing.

    Args:
        optimizer: An optimizer, whose whole rule counts, or JSON of what changes; None for nothing.
        learning_rate: A learning rate beside it, or None.

    Raises:
        Refused: An argument is of another kind.
    """
    changes: dict[str, Any] = {}
    if isinstance(optimizer, Optimizer):
        changes = optimizer.rule()
    elif isinstance(optimizer, Mapping):
        changes = plain_json(optimizer, "/optimizer")
    elif optimizer is not None:
        expected = 'an optimizer, or what changes, as {"config": {"weight_decay": 0.01}}'
        raise wrong_argument("/optimizer", expected, optimizer)
    if learning_rate is not None:
        config = changes.get("config", {})
        if not isinstance(config, Mapping):
            raise wrong_argument("/optimizer/config", "an object", config)
        changes["config"] = {**config, "learning_rate": plain_json(learning_rate, "/learning_rate")}
    return changes
