"""The recipe of a run: checked when the run is made, and kept as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from deltawire.errors import Fault
from deltawire_optimizers import Registry
from deltawire_service.faults import Faults, load
from deltawire_service.models.update_rules import UpdateRule, change_rule, to_json
from deltawire_service.schemas.requests import schema_of
from deltawire_service.schemas.run_requests import Recipe

CACHED = 128
SCHEMA = schema_of(Recipe)()


def to_document(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe as JSON, with every default written out."""
    return asdict(recipe)


def write_recipe(recipe: Recipe) -> str:
    """Return the text of a recipe, which `read_recipe` reads."""
    return to_json(to_document(recipe))


@lru_cache(CACHED)
def read_recipe(text: str) -> Recipe:
    """Return the recipe of a run from its text."""
    return Recipe(**load(SCHEMA, json.loads(text)))


def check_recipe(recipe: Recipe) -> None:
    """Check what no field shows alone.

    Raises:
        Refused: options exclude each other.
    """
    faults = Faults()
    if recipe.epochs is not None and recipe.steps is not None:
        faults.append(Fault("/steps", "field_invalid", "a run has a number of epochs or of steps, not both"))
    if recipe.early_stopping and not recipe.validation:
        detail = "early stopping compares validations: say which rows they take"
        faults.append(Fault("/validation", "field_missing", detail))
    faults.refuse()


def rule_of_run(rule: UpdateRule, recipe: Recipe, optimizers: Registry) -> UpdateRule:
    """Return the rule that the steps of a run are taken by.

    Args:
        rule: that of the model.
        recipe: the recipe of the run.
        optimizers: the optimizers that are installed.

    Raises:
        Refused: the schedule or the bounds of the recipe do not fit.
    """
    changes: Mapping[str, Any] = {
        name: value
        for name, value in (("schedule", recipe.schedule), ("clip", recipe.clip))
        if value is not None
    }
    return change_rule(rule, changes, optimizers, pointer="") if changes else rule
