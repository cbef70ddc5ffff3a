"""Optimizers as the service reads them: whole, or what changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deltawire import Refused, optim
from deltawire.models.rules import rule_changes, rule_document
from deltawire_optimizers import load_optimizers
from deltawire_service.models.update_rules import read_rule

OPTIMIZERS = load_optimizers()
SCHEDULE = optim.schedules.sequence(
    [optim.schedules.linear(total_iters=10), optim.schedules.cosine(T_max=90)], milestones=[10]
)


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_the_service_reads_the_same_rule(kind: str) -> None:
    optimizer = optim.Optimizer(kind, learning_rate=0.02, schedule=SCHEDULE, clip_norm=1.5, clip_value=0.5)
    document = rule_document(optimizer)
    rule = read_rule(document, OPTIMIZERS)
    assert rule.document["clip"] == {"norm": 1.5, "value": 0.5}
    assert rule.learning_rate(1) == optimizer.learning_rate
    assert rule_document(optim.Optimizer(kind, learning_rate=0.02))["clip"] == {}
    assert rule.document["config"] == document["config"]


def test_json_is_taken_as_it_is() -> None:
    document = {"kind": "lion", "config": {"learning_rate": np.float64(1e-3)}}
    assert rule_document(document) == {"kind": "lion", "config": {"learning_rate": 1e-3}}


def test_an_optimizer_that_has_taken_steps_is_refused() -> None:
    optimizer = optim.adam()
    optimizer.step({"w": np.ones(2)}, {"w": np.ones(2)})
    with pytest.raises(Refused, match=r"has taken 1 steps?, .* pass a new one, as in optim.adam\(…\)"):
        rule_document(optimizer)


@pytest.mark.parametrize("wrong", [None, "adam", optim.adam, 0.1])
def test_what_is_no_optimizer_is_refused(wrong: Any) -> None:
    with pytest.raises(Refused) as refused:
        rule_document(wrong)
    assert refused.value.pointer == "/optimizer"


def test_changes() -> None:
    assert rule_changes(None, None) == {}
    assert rule_changes(None, np.float32(0.5)) == {"config": {"learning_rate": 0.5}}
    changes = {"config": {"weight_decay": 0.1}, "schedule": None}
    assert rule_changes(changes, 0.5) == {
        "config": {"weight_decay": 0.1, "learning_rate": 0.5}, "schedule": None
    }  # fmt: skip
    assert changes == {"config": {"weight_decay": 0.1}, "schedule": None}
    assert rule_changes(optim.sgd(0.2), 0.5)["config"]["learning_rate"] == 0.5
    assert rule_changes(optim.sgd(0.2), None) == rule_document(optim.sgd(0.2))


@pytest.mark.parametrize(
    ("optimizer", "learning_rate", "pointer"),
    [
        ("adam", None, "/optimizer"),
        ({"config": 7}, 0.1, "/optimizer/config"),
        (None, object(), "/learning_rate"),
    ],
)
def test_what_is_no_change_is_refused(optimizer: Any, learning_rate: Any, pointer: str) -> None:
    with pytest.raises(Refused) as refused:
        rule_changes(optimizer, learning_rate)
    assert refused.value.pointer == pointer
