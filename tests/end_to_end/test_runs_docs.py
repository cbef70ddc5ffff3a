"""docs/runs.md: its tables have every field of a recipe and of a run, and every state."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from marshmallow import Schema, fields, missing

from deltawire_service.schemas.queries import RunsQuery
from deltawire_service.schemas.requests import schema_of
from deltawire_service.schemas.run_requests import Recipe
from deltawire_service.schemas.run_responses import RunResponse
from deltawire_service.store.tables import runs

PAGE = (Path(__file__).parents[2] / "docs" / "runs.md").read_text()


def rows(title: str) -> list[list[str]]:
    """The cells of the first table below a heading."""
    text = PAGE.split(f"\n## {title}\n")[1]
    lines = text[text.index("\n|") + 1 :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def recipe_fields(schema: Schema, prefix: str = "") -> dict[str, str]:
    """The default of each field, as the page writes it; those of nested schemas by path."""
    found = dict[str, str]()
    for name, field in schema.fields.items():
        default: Any = {} if field.load_default is dict else field.load_default
        found[prefix + name] = "required" if default is missing else f"`{json.dumps(default)}`"
        if isinstance(field, fields.Nested):
            found |= recipe_fields(field.schema, f"{prefix}{name}.")
    return found


def test_every_field_of_a_recipe_and_its_default() -> None:
    documented = {name.strip("`"): default for name, default, _ in rows("POST /v1/models/<name>/runs")}
    assert documented == recipe_fields(schema_of(Recipe)())


def test_every_query_of_the_list() -> None:
    assert {name.strip("`") for name, *_ in rows("GET /v1/runs")} == RunsQuery().fields.keys()


def test_every_field_of_a_run() -> None:
    documented = {name.strip("`") for name, _ in rows("GET /v1/runs/<id>")}
    assert documented == RunResponse().fields.keys()


def test_every_state() -> None:
    shown = {state for row in rows("States") for cell in row for state in re.findall(r"`(\w+)`", cell)}
    assert shown >= {*runs.OPEN_STATES, runs.FINISHED, runs.FAILED, runs.CANCELLED}
