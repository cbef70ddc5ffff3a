"""The check lets every right optimizer pass, and catches what breaks each rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from marshmallow import fields

from deltawire_optimizers import (
    ConformanceError,
    Optimizer,
    StateArray,
    Step,
    check_optimizer,
    load_optimizers,
)
from deltawire_optimizers.conformance import RULES

OPTIMIZERS = load_optimizers()


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        *((kind, {}) for kind in OPTIMIZERS),
        ("sgd", {"momentum": 0.9, "dampening": 0.5, "weight_decay": 0.1}),
        ("sgd", {"momentum": 0.9, "nesterov": True}),
        ("adam", {"amsgrad": True, "weight_decay": 0.1}),
        ("adamw", {"amsgrad": True}),
        ("rmsprop", {"centered": True, "momentum": 0.9, "weight_decay": 0.1}),
        ("adagrad", {"lr_decay": 0.5, "initial_accumulator_value": 1.0}),
        ("lion", {"weight_decay": 0.5}),
    ],
)
def test_the_optimizers_conform(kind: str, config: dict[str, Any]) -> None:
    check_optimizer(OPTIMIZERS[kind], **config)


class Plain(Optimizer):
    """θ ← θ − γ g."""

    def update(self, param: Any, gradient: Any, state: Any, scratch: Any, step: Step) -> None:
        param -= step.learning_rate * gradient


class Normalized(Optimizer):
    """θ ← θ − γ g / ‖g‖."""

    elementwise = False

    def update(self, param: Any, gradient: Any, state: Any, scratch: Any, step: Step) -> None:
        if gradient.size:
            param -= step.learning_rate * gradient / np.linalg.norm(gradient)


class WritesGradient(Plain):
    """θ ← θ − γ g."""

    def update(self, param: Any, gradient: Any, state: Any, scratch: Any, step: Step) -> None:
        gradient *= step.learning_rate
        param -= gradient


class KeepsCount(Plain):
    """θ ← θ − γ g."""

    def update(self, param: Any, gradient: Any, state: Any, scratch: Any, step: Step) -> None:
        self.count = getattr(self, "count", 0) + 1
        super().update(param, gradient, state, scratch, step)


class Undeclared(Plain):
    """θ ← θ − γ g."""

    def update(self, param: Any, gradient: Any, state: Any, scratch: Any, step: Step) -> None:
        param -= state["velocity"]


class BadName(Plain):
    """θ ← θ − γ g."""

    def state(self, shape: tuple[int, ...]) -> dict[str, StateArray]:
        return {"a.b": StateArray(shape)}


class BadStart(Plain):
    """θ ← θ − γ g."""

    def state(self, shape: tuple[int, ...]) -> dict[str, StateArray]:
        return {"sum": StateArray(shape, np.inf)}


class OtherShape(Plain):
    """θ ← θ − γ g."""

    def state(self, shape: tuple[int, ...]) -> dict[str, StateArray]:
        return {"sum": StateArray((1,))}


class NotAlone(Normalized):
    """θ ← θ − γ g / ‖g‖."""

    elementwise = True


class Ascent(Plain):
    """θ ← θ + γ g."""

    def update(self, param: Any, gradient: Any, state: Any, scratch: Any, step: Step) -> None:
        param += step.learning_rate * gradient


class Hungry(Plain):
    """θ ← θ − γ g."""

    def update(self, param: Any, gradient: Any, state: Any, scratch: Any, step: Step) -> None:
        np.ones(400_000)
        super().update(param, gradient, state, scratch, step)


class FloatSensitive(Plain):
    """θ ← θ − γ g."""

    def update(self, param: Any, gradient: Any, state: Any, scratch: Any, step: Step) -> None:
        param -= step.learning_rate * gradient * (1 if param.dtype == np.float64 else 2)


class NoDocument(Plain):
    """Go downhill."""


class NoDescription(Plain):
    """θ ← θ − γ g."""

    class Config(Optimizer.Config):
        extra = fields.Integer()


class Global(Plain):
    """θ ← θ − γ g."""

    calls: list[int] = []

    def update(self, param: Any, gradient: Any, state: Any, scratch: Any, step: Step) -> None:
        self.calls.append(1)
        param -= step.learning_rate * gradient * len(self.calls)


@pytest.mark.parametrize("optimizer", [Plain, Normalized])
def test_right_ones_pass(optimizer: type[Optimizer]) -> None:
    check_optimizer(optimizer)


@pytest.mark.parametrize(
    ("optimizer", "rule", "problem"),
    [
        (WritesGradient, 1, "gradient"),
        (KeepsCount, 1, "keeps something"),
        (Undeclared, 2, "velocity"),
        (BadName, 2, "a.b"),
        (BadStart, 2, "expected StateArray"),
        (OtherShape, 2, "is elementwise, but"),
        (Global, 3, "ends elsewhere"),
        (NotAlone, 3, "alone"),
        (FloatSensitive, 4, "float32"),
        (Hungry, 5, "allocates"),
        (Ascent, 6, "does not lower"),
        (NoDocument, 7, "docstring"),
        (NoDescription, 7, "extra"),
    ],
)
def test_each_rule_is_checked(optimizer: type[Optimizer], rule: int, problem: str) -> None:
    with pytest.raises(ConformanceError, match=problem) as caught:
        check_optimizer(optimizer)
    assert (caught.value.rule, caught.value.optimizer) == (rule, optimizer.__name__)
    assert RULES[rule] in str(caught.value)
