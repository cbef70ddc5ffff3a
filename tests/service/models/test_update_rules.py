"""Rules: every default written out, changes key by key, clipping as torch does it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from support.models import OPTIMIZERS

from deltawire.errors import Refused
from deltawire_optimizers import Step, init_state
from deltawire_service.models.numbers import Numbers
from deltawire_service.models.update_rules import change_rule, read_rule, to_json

ADAM = {"kind": "adam", "config": {"learning_rate": 0.1}}


def test_the_document_has_every_default_and_reads_as_the_same_rule() -> None:
    rule = read_rule({**ADAM, "schedule": {"kind": "cosine", "T_max": 7}, "clip": {"norm": 2}}, OPTIMIZERS)
    assert rule.document["config"] == {
        "learning_rate": 0.1, "betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 0.0, "amsgrad": False,
    }  # fmt: skip
    again = read_rule(json.loads(to_json(rule.document)), OPTIMIZERS)
    assert again.document == rule.document
    assert [again.learning_rate(n) for n in range(1, 9)] == [rule.learning_rate(n) for n in range(1, 9)]


def test_json_keeps_every_bit_of_a_number() -> None:
    numbers = np.random.default_rng(0).normal(size=1000) * 10.0 ** np.arange(-500, 500)[::-1].clip(-300, 300)
    assert json.loads(to_json(numbers.tolist())) == numbers.tolist()
    with pytest.raises(ValueError):
        to_json(float("nan"))


@pytest.mark.parametrize(
    "document, code, pointer",
    [
        ([], "field_invalid", "/optimizer"),
        ({}, "field_missing", "/optimizer/kind"),
        ({"kind": "adm"}, "unknown_kind", "/optimizer/kind"),
        ({"kind": "adam", "config": {"lr": 1}}, "field_unknown", "/optimizer/config/lr"),
        ({"kind": "adam", "rate": 1}, "field_unknown", "/optimizer/rate"),
        ({"kind": "adam", "config": {"eps": "x"}}, "field_invalid", "/optimizer/config/eps"),
        ({"kind": "adam", "clip": {"norm": 0}}, "field_invalid", "/optimizer/clip/norm"),
        ({"kind": "adam", "clip": {"norms": 1}}, "field_unknown", "/optimizer/clip/norms"),
        ({"kind": "adam", "schedule": {"kind": "cosin"}}, "field_invalid", "/optimizer/schedule/kind"),
        ({"kind": "adam", "schedule": {"kind": "cosine"}}, "field_missing", "/optimizer/schedule/T_max"),
    ],
)
def test_what_does_not_fit_is_named(document: Any, code: str, pointer: str) -> None:
    with pytest.raises(Refused) as refused:
        read_rule(document, OPTIMIZERS)
    assert (refused.value.code, refused.value.pointer) == (code, pointer)


def test_a_config_changes_key_by_key_and_the_rest_as_a_whole() -> None:
    rule = read_rule({**ADAM, "schedule": {"kind": "cosine", "T_max": 7}, "clip": {"norm": 2}}, OPTIMIZERS)
    changes = {"config": {"eps": 1e-3}, "clip": {"value": 1}, "schedule": None}
    changed = change_rule(rule, changes, OPTIMIZERS)
    assert changed.document["config"] == rule.document["config"] | {"eps": 1e-3}
    assert changed.document["clip"] == {"value": 1} and changed.learning_rate(5) == 0.1
    assert change_rule(rule, {}, OPTIMIZERS).document == rule.document
    for wrong, pointer in (([], ""), ({"config": []}, "/config"), ({"kind": "sgd"}, "/kind")):
        with pytest.raises(Refused) as refused:
            change_rule(rule, wrong, OPTIMIZERS)  # type: ignore[arg-type]
        assert refused.value.pointer == f"/optimizer{pointer}"


def test_clipping_bounds_the_norm_and_then_every_number() -> None:
    rule = read_rule(
        {"kind": "sgd", "config": {"learning_rate": 1}, "clip": {"norm": 1, "value": 0.7}}, OPTIMIZERS
    )
    params = {"w": np.zeros(2)}
    numbers = Numbers(params, init_state(rule.optimizer, params))
    norm = rule.apply(numbers, {"w": np.array([3.0, 4.0])}, Step(1, 1.0), numbers)
    assert norm == 5
    np.testing.assert_allclose(params["w"], [-0.6, -0.7], rtol=1e-6)


@pytest.mark.parametrize("gradient, learning_rate", [(np.inf, 1.0), (np.nan, 1.0), (1e100, 1e300)])
def test_numbers_that_are_not_finite_are_refused(gradient: float, learning_rate: float) -> None:
    rule = read_rule({"kind": "sgd"}, OPTIMIZERS)
    before = Numbers({"w": np.zeros(2)}, {})
    after = Numbers({"w": np.zeros(2)}, {})
    with np.errstate(over="ignore"), pytest.raises(Refused, match="not finite"):
        rule.apply(before, {"w": np.full(2, gradient)}, Step(1, learning_rate), after)
    assert not before.params["w"].any()
