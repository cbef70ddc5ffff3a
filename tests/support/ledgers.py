"""What the versions of a model must be, computed with numpy and deltawire.optim alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deltawire.optim import Optimizer, schedules

Arrays = dict[str, np.ndarray]

SPEC: dict[str, Any] = {
    "inputs": {"x": {"shape": [3]}, "y": {"shape": [1]}},
    "nodes": [
        {"name": "hidden", "kind": "linear", "inputs": ["x"], "config": {"units": 2}},
        {"name": "active", "kind": "tanh", "inputs": ["hidden"]},
        {"name": "f", "kind": "linear", "inputs": ["active"], "config": {"units": 1}},
        {"name": "square", "kind": "squared_error", "inputs": ["f", "y"]},
    ],
}
SHAPES = {"hidden.weight": (2, 3), "hidden.bias": (2,), "f.weight": (1, 2), "f.bias": (1,)}

RULES: list[dict[str, Any]] = [
    {"kind": "sgd", "config": {"learning_rate": 0.05, "momentum": 0.9}},
    {"kind": "sgd", "config": {"learning_rate": 0.1}, "clip": {"norm": 0.5}},
    {"kind": "adam", "config": {"learning_rate": 0.02, "eps": 1e-3}, "clip": {"value": 0.3}},
    {
        "kind": "adamw",
        "config": {"learning_rate": 0.05, "eps": 1e-3},
        "schedule": {"kind": "step", "step_size": 2, "gamma": 0.5},
    },
]
"""With a large eps, rounding stays as small as it is, also where a gradient is nearly nothing."""


def random_arrays(seed: int, shapes: Mapping[str, tuple[int, ...]] = SHAPES) -> Arrays:
    """Arrays of these shapes: parameters, gradients, or a batch."""
    numbers = np.random.default_rng(seed)
    return {name: numbers.normal(size=shape) for name, shape in shapes.items()}


def batch(seed: int) -> Arrays:
    """One to four examples."""
    size = 1 + seed % 4
    return random_arrays(seed, {"x": (size, 3), "y": (size, 1)})


def compute(params: Arrays, data: Arrays, reduction: str) -> tuple[float, Arrays, np.ndarray]:
    """The loss, the gradients, and the values of `f`."""
    x, y = data["x"], data["y"]
    active = np.tanh(x @ params["hidden.weight"].T + params["hidden.bias"])
    f = active @ params["f.weight"].T + params["f.bias"]
    shares = len(x) if reduction == "mean" else 1
    delta = 2 * (f - y) / shares
    back = delta @ params["f.weight"] * (1 - active**2)
    gradients = {
        "hidden.weight": back.T @ x,
        "hidden.bias": back.sum(axis=0),
        "f.weight": delta.T @ active,
        "f.bias": delta.sum(axis=0),
    }
    return float(((f - y) ** 2).sum() / shares), gradients, f


def params_id(params: Mapping[str, np.ndarray]) -> str:
    """The id of parameters of float64, as docs/networks.md describes it."""
    digest = hashlib.sha256()
    for name, array in sorted(params.items()):
        digest.update(f"{name} float64 {list(array.shape)}\n".encode() + array.tobytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Version:
    """A version of a model, as it must be, and the entry of the ledger that made it."""

    params: Arrays
    rule: dict[str, Any]
    step: int = 0
    state: Arrays | None = None
    kind: str = "created"
    entry: Mapping[str, Any] | None = None

    def optimizer(self, changes: Mapping[str, Any] | None = None) -> Optimizer:
        """The optimizer before the next step; changes: those for this step only."""
        changes = changes or {}
        rule = changed(self.rule, changes)
        schedule = rule.get("schedule")
        if "learning_rate" in changes.get("config", {}):
            schedule = None  # a learning rate for one step is not scheduled
        numbers = {name: number for name, number in (schedule or {}).items() if name != "kind"}
        clip = rule.get("clip", {})
        optimizer = Optimizer(
            rule["kind"],
            schedule=schedules.step(**numbers) if schedule else None,
            clip_norm=clip.get("norm"),
            clip_value=clip.get("value"),
            **rule["config"],
        )
        optimizer.load_state_dict({"kind": rule["kind"], "steps": self.step, "state": self.state or {}})
        return optimizer

    def after_step(
        self, gradients: Arrays, loss: float | None, reduction: str, changes: Mapping[str, Any]
    ) -> Version:
        optimizer = self.optimizer(changes)
        params = {name: array.copy() for name, array in self.params.items()}
        entry = {
            "loss": loss,
            "gradient_norm": float(np.sqrt(sum((array**2).sum() for array in gradients.values()))),
            "learning_rate": optimizer.learning_rate,
            "reduction": reduction,
        }
        optimizer.step(params, gradients)
        return Version(params, self.rule, optimizer.steps, optimizer.state, "step", entry)

    def after_change(self, changes: Mapping[str, Any]) -> Version:
        return replace(self, rule=changed(self.rule, changes), kind="hyperparameters", entry={})


def changed(rule: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A rule with changes: its config key by key, schedule and clipping as a whole."""
    return {**rule, **changes, "config": {**rule["config"], **changes.get("config", {})}}
