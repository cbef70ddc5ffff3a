"""Refusals of data for a model that was made of a table, explained by its columns and categories."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from deltawire.errors import Fault, Refused

NOTE = "table"
"""The key of a network's metadata that describes its table."""

MOST_LISTED = 20
"""Columns or categories in a message."""


@contextmanager
def explained(spec: str) -> Iterator[None]:
    """Explain the data that is refused in this context.

    Args:
        spec: the spec of a network as JSON, with its metadata.

    Raises:
        Refused: the same refusal, with what the inputs at fault take.
    """
    try:
        yield
    except Refused as refused:
        notes = _notes(spec)
        if not notes:
            raise
        raise refused.with_faults([_explain(fault, notes) for fault in refused.faults]) from None


def _notes(spec: str) -> Mapping[str, str]:
    """Return what each input takes, in words; nothing where the metadata is not that of a table."""
    text = json.loads(spec).get("metadata", {}).get(NOTE)
    try:
        table = json.loads(text)
        columns, categories = dict(table["columns"]), dict(table["categories"])
    except (
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ):  # the caller's own notes, which may be anything
        return {}
    return {name: _words(source, categories.get(name)) for name, source in columns.items()}


def _words(source: Any, categories: Any) -> str:
    if isinstance(categories, list) and categories:
        codes = [f"{text} {code}" for code, text in enumerate(categories)]
        return f"column {source} as integers: {_listed(codes)}"
    if isinstance(source, list):
        return f"columns {_listed(source)} in this order"
    return f"column {source}"


def _listed(parts: list[Any]) -> str:
    return ", ".join(map(str, parts[:MOST_LISTED])) + (", …" if len(parts) > MOST_LISTED else "")


def _explain(fault: Fault, notes: Mapping[str, str]) -> Fault:
    _, part, name, *_ = [*fault.pointer.split("/"), "", ""]
    if part != "data":
        return fault
    if name in notes:
        return replace(fault, detail=f"{fault.detail}; '{name}' takes {notes[name]}")
    if fault.code == "unknown_data":
        every = "; ".join(f"'{each}' takes {words}" for each, words in notes.items())
        return replace(fault, detail=f"{fault.detail}; {every}")
    return fault
