"""Rows of a dataset: what calls take in the place of a batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from deltawire.errors import wrong_argument

Sources = Mapping[str, str | Iterable[str]]
"""By input: a column, or several of one number in each row, which become its last axis."""


class DatasetRows:
    """Rows of a dataset, which the service has: they go wherever a batch goes.

    Attributes:
        name: The name of the dataset.
        selection: Which rows, as a document says it; empty for all.
        columns: The columns of inputs; an input that is not named takes the column of its name.
    """

    def __init__(
        self, name: str, selection: Mapping[str, Any] | None = None, columns: Mapping[str, Any] | None = None
    ):
        """Name rows of a dataset.

        Args:
            name: The name of the dataset.
            selection: Which rows; by default all.
            columns: The columns by input.
        """
        self.name = name
        self.selection = dict(selection or {})
        self.columns = dict(columns or {})

    def __repr__(self) -> str:
        parts = [part for part in (self.name, self.selection, self.columns) if part]
        return f"{type(self).__name__}({', '.join(map(repr, parts))})"

    @property
    def document(self) -> dict[str, Any]:
        """The rows in a document that takes data."""
        document: dict[str, Any] = {"dataset": self.name}
        if self.selection:
            document["rows"] = self.selection
        if self.columns:
            document["columns"] = self.columns
        return document


def choose_rows(start: Any, stop: Any, indices: Any) -> dict[str, Any]:
    """Return rows as a document says it.

    Args:
        start: The first row; None for the first one of the dataset.
        stop: The row after the last; None for all rows to the end.
        indices: In place of a range: row numbers, in any order, also repeated.

    Raises:
        Refused: The arguments are no rows.
    """
    chosen: dict[str, Any] = {}
    for name, row in (("start", start), ("stop", stop)):
        if row is None:
            continue
        if isinstance(row, bool) or not isinstance(row, int | np.integer) or row < 0:
            raise wrong_argument(f"/rows/{name}", "the number of a row", row)
        chosen[name] = int(row)
    if indices is not None:
        array = np.asarray(indices)
        if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
            raise wrong_argument("/rows/indices", "a list of row numbers", indices)
        chosen["indices"] = array.tolist()
    return chosen


def column_sources(columns: Any) -> dict[str, Any]:
    """Return the columns of inputs as a document says it.

    Raises:
        Refused: They are no mapping of inputs to columns.
    """
    if columns is None:
        return {}
    if not isinstance(columns, Mapping):
        raise wrong_argument("/columns", 'columns by input, as {"x": ["age", "bmi"], "y": "target"}', columns)
    return {
        str(name): source if isinstance(source, str) else list(source) for name, source in columns.items()
    }


def rows_document(data: Any) -> dict[str, Any] | None:
    """Return data that are rows of a dataset as a document says it; None for arrays."""
    if isinstance(data, DatasetRows):
        return data.document
    if isinstance(data, Mapping) and isinstance(data.get("dataset"), str):
        return dict(data)
    return None
