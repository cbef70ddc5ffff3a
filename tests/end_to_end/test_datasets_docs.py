"""docs/datasets.md: its calls run as printed and get the answers shown; its tables have every field."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from marshmallow import Schema
from support.service import running_service

from deltawire_service.datasets.formats.media_types import READERS
from deltawire_service.schemas.dataset_requests import PathSchema, RowsReferenceSchema, RowsSchema
from deltawire_service.schemas.dataset_responses import DatasetColumn, PutDatasetResponse

PAGE = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text()
CALLS = re.findall(r"^```sh\n(.*?)```\n(?:\n```json( trimmed)?\n(.*?)```)?", PAGE, re.MULTILINE | re.DOTALL)


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def named(text: str) -> set[str]:
    """What the first cells of all tables name."""
    cells = re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def alike(answer: Any, shown: Any, trimmed: bool = False) -> bool:
    """Whether an answer is the one shown, up to the last digits of its floats, and up to what is trimmed."""
    if isinstance(shown, dict):
        known = answer.keys() >= shown.keys() if trimmed else answer.keys() == shown.keys()
        return known and all(alike(answer[key], shown[key], trimmed) for key in shown)
    if isinstance(shown, list):
        return len(answer) == len(shown) and all(
            alike(*pair, trimmed) for pair in zip(answer, shown, strict=True)
        )
    return bool(answer == (pytest.approx(shown) if isinstance(shown, float) else shown))


@pytest.mark.servers
def test_the_calls_shown_get_the_answers_shown(tmp_path: Path) -> None:
    with running_service("-w", "1", data_dir=str(tmp_path / "data"), protocols="", trainer="true") as address:
        for call, trimmed, shown in CALLS:
            command = call.replace("http://127.0.0.1:8000", address)
            done = subprocess.run(
                command, shell=True, capture_output=True, text=True, check=True, timeout=120, cwd=tmp_path
            )
            assert '"code"' not in done.stdout, done.stdout
            if shown:
                assert alike(json.loads(done.stdout), json.loads(shown), bool(trimmed)), done.stdout
    assert sum(bool(shown) for *_, shown in CALLS) == 5


def fields(*schemas: type[Schema]) -> set[str]:
    return {name for schema in schemas for name in schema().fields}


def test_every_field_and_format_is_in_a_table() -> None:
    put = named(section("PUT /v1/datasets/<name>"))
    told = fields(PathSchema, PutDatasetResponse, DatasetColumn)
    assert put - {"application/json", "Content-Type"} == told | READERS.keys()
    nested = {f"rows.{name}" for name in fields(RowsSchema)}
    assert named(section("Rows in place of data")) == fields(RowsReferenceSchema) | nested
