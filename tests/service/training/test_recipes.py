"""Recipes are kept as JSON with every default, and are read as they were."""

from __future__ import annotations

from typing import Any

import pytest
from support.models import ADAM, OPTIMIZERS
from support.runs import recipe

from deltawire.errors import Refused
from deltawire_service.models.update_rules import read_rule
from deltawire_service.training.recipes import check_recipe, read_recipe, rule_of_run, write_recipe

WHOLE: dict[str, Any] = {
    "columns": {"x": ["a", "b"], "y": "label"},
    "epochs": 3,
    "seed": 2**64 - 1,
    "schedule": {"kind": "cosine", "T_max": 10},
    "clip": {"norm": 0.1},
    "validation": {"fraction": 0.1, "every": 7},
    "early_stopping": {"patience": 2},
}


@pytest.mark.parametrize("options", [{}, WHOLE])
def test_a_recipe_is_read_as_it_was_written(options: dict[str, Any]) -> None:
    assert read_recipe(write_recipe(recipe(**options))) == recipe(**options)


def test_options_that_exclude_each_other_are_refused_together() -> None:
    with pytest.raises(Refused) as refused:
        check_recipe(recipe(epochs=1, steps=1, early_stopping={"patience": 1}))
    assert [fault.pointer for fault in refused.value.faults] == ["/steps", "/validation"]
    check_recipe(recipe(**WHOLE))


def test_the_rule_of_the_model_is_changed_where_the_recipe_says_so() -> None:
    own = read_rule(ADAM, OPTIMIZERS)
    assert rule_of_run(own, recipe(), OPTIMIZERS) is own
    changed = rule_of_run(own, recipe(**WHOLE), OPTIMIZERS)
    assert changed.document == {**own.document, "schedule": WHOLE["schedule"], "clip": WHOLE["clip"]}
    with pytest.raises(Refused) as refused:
        rule_of_run(own, recipe(schedule={"kind": "cosine"}), OPTIMIZERS)
    assert refused.value.faults[0].pointer == "/schedule/T_max"
