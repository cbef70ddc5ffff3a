"""Rows of a table as inputs of a network, and what its output says about them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltawire.errors import Fault, Refused, wrong_argument
from deltawire.tables.columns import CLASSIFICATION
from deltawire.wire import Array

NOTE = "table"
"""The key of the metadata of a network that describes its table."""

Source = str | list[str]
"""The column of an input; or several of one number in each row, which become its last axis."""


@dataclass(frozen=True)
class Table:
    """The table that a network predicts a column of.

    Attributes:
        task: "classification" or "regression".
        target: The input that the column to predict goes to.
        output: The node that predicts.
        columns: By input: its column, or a list of columns.
        categories: By input: the texts that its integers stand for.
        classes: The texts of the target; empty where its classes are numbers.
    """

    task: str
    target: str
    output: str
    columns: Mapping[str, Source]
    categories: Mapping[str, tuple[str, ...]]
    classes: tuple[str, ...]

    def notes(self) -> dict[str, str]:
        """Return the metadata of a network that `read` reads."""
        return {NOTE: json.dumps(vars(self), ensure_ascii=False)}

    @classmethod
    def read(cls, spec: Mapping[str, Any]) -> Table | None:
        """Return the table of a network, as its spec tells; None for a network of no table."""
        text = spec.get("metadata", {}).get(NOTE)
        if text is None:
            return None
        noted = json.loads(text)
        categories = {name: tuple(texts) for name, texts in noted.pop("categories").items()}
        return cls(**noted | {"categories": categories, "classes": tuple(noted["classes"])})

    def inputs(self, rows: Mapping[str, Any]) -> dict[str, Array]:
        """Return the inputs that predict rows of the table, without its target.

        Args:
            rows: By column, (rows, *shape): numbers, or texts in a column of categories. A frame of pandas or
                polars is such a mapping.

        Raises:
            Refused: A column is missing, or has a text that is no category.
        """
        inputs = {}
        for name, source in self.columns.items():
            if name == self.target:
                continue
            names = [source] if isinstance(source, str) else source
            missing = [column for column in names if column not in rows]
            if missing:
                listed = ", ".join(f"'{column}'" for column in missing)
                raise Refused([Fault("/data", "missing_data", f"the rows have no column {listed}")])
            if name in self.categories:
                inputs[name] = self._codes(name, np.asarray(rows[names[0]]))
            elif isinstance(source, str):
                inputs[name] = np.asarray(rows[source])
            else:
                inputs[name] = np.stack([np.asarray(rows[column], np.float64) for column in names], axis=-1)
        return inputs

    def labels(self, values: Array) -> Array:
        """Return what the values of the output say: classes, or the predicted numbers themselves.

        Args:
            values: Of the output, (rows, classes) or (rows,).
        """
        if self.task != CLASSIFICATION:
            return values
        best = np.asarray(values).argmax(axis=-1)
        labels: Array = np.asarray(self.classes)[best] if self.classes else best
        return labels

    def _codes(self, name: str, texts: Array) -> Array:
        """Return the integers of the categories of an input."""
        codes = {text: code for code, text in enumerate(self.categories[name])}
        cells = ["" if text is None else str(text) for text in texts.tolist()]
        for text in cells:
            if text not in codes:
                raise wrong_argument(f"/data/{name}", f"a category of '{self.columns[name]}'", text)
        return np.array([codes[text] for text in cells], np.int64)
