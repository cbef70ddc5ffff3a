"""Answers about models become results with arrays that can be written to."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltawire.models.results import checkpoint_reader, read_change, step_reader

CHANGE = {"version": 3, "step": 2, "durable": True, "replayed": False}


def test_a_change() -> None:
    assert vars(read_change(CHANGE)) == CHANGE | {"params_id": None}
    assert read_change(CHANGE | {"params_id": "ab"}).params_id == "ab"


def test_a_step_by_gradients_has_no_loss() -> None:
    answer = CHANGE | {"loss": None, "gradient_norm": 1.5, "learning_rate": 0.1}
    result = step_reader("float64")(answer)
    assert (result.loss, result.gradient_norm, result.version, result.losses) == (None, 1.5, 3, None)
    assert (result.gradients, result.values, result.deltas) == ({}, {}, {})


def test_a_step_with_everything() -> None:
    answer: dict[str, Any] = CHANGE | {
        "loss": 0.5,
        "gradient_norm": 1,
        "learning_rate": 0,
        "gradients": {"params": {"a.weight": [[1.0]]}, "data": {"x": [[2.0]]}},
        "values": {"a": [[3.0]]},
        "deltas": {"a": [[4.0]]},
        "losses": [5.0],
    }
    result = step_reader("float32")(answer)
    assert {name: array.item() for name, array in result.gradients.items()} == {"a.weight": 1, "x": 2}
    assert (result.values["a"].item(), result.deltas["a"].item()) == (3, 4)
    assert result.losses is not None and result.losses.dtype == np.float32 and result.losses.flags.writeable


def test_a_checkpoint() -> None:
    origin = {"model": "digits", "version": 3, "step": 2, "params_id": "ab", "lineage": "cd", "later": 1}
    answer = {"params": {"a.weight": [[1.0]]}, "network": {"nodes": []}, "origin": origin}
    checkpoint = checkpoint_reader("float64")(answer)
    assert checkpoint.params["a.weight"].flags.writeable and checkpoint.network == {"nodes": []}
    found = checkpoint.model, checkpoint.version, checkpoint.step, checkpoint.params_id, checkpoint.lineage
    assert found == ("digits", 3, 2, "ab", "cd")
