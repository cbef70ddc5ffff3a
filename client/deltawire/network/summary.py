"""A network as a table: nodes, kinds, shapes, parameters, and the memory that a batch takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltawire.text import counted, shape_text, size_text

COLUMNS = ("node", "kind", "inputs", "shape", "parameters")


@dataclass(frozen=True, repr=False)
class Summary:
    """The table of a network. `print` writes it as text, and `rich.print` as a table of rich.

    Attributes:
        spec: Of the network, with a name for every node.
        plan: The answer of POST /v1/plan for it: shapes, parameters, `peak_bytes`, …
        batch: The number of examples that the memory is for.
        dtype: The dtype of the numbers, by its name.
    """

    spec: Mapping[str, Any]
    plan: Mapping[str, Any]
    batch: int
    dtype: str

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The cells of each input and node, by COLUMNS."""
        cells: dict[str, list[str]] = {}
        for parameter in self.plan["parameters"]:
            owner, _, local = parameter["name"].rpartition(".")
            if owner:
                cells.setdefault(owner, []).append(f"{local} {shape_text(parameter['shape'])}")
        for node in self.spec["nodes"]:
            if "tied_to" in node:
                shared = "matrices of" if node.get("transpose") else "those of"
                cells.setdefault(node["name"], []).append(f"{shared} {node['tied_to']}")
        rows: list[tuple[str, ...]] = [
            (name, _kind_of_input(entry), "", shape_text(entry["shape"]), "")
            for name, entry in self.spec["inputs"].items()
        ]
        for node in self.plan["nodes"]:
            inputs, shape = ", ".join(node["inputs"]), shape_text(node["shape"])
            parameters = ", ".join(cells.get(node["name"], []))
            rows.append((node["name"], node["kind"], inputs, shape, parameters))
        return rows

    @property
    def totals(self) -> str:
        """One line: all parameters, and the memory at the peak of their gradients."""
        numbers = sum(parameter["numbers"] for parameter in self.plan["parameters"])
        size = size_text(numbers * np.dtype(self.dtype).itemsize)
        peak, limit = size_text(self.plan["peak_bytes"]), size_text(self.plan["limit_bytes"])
        examples = counted(self.batch, "example")
        return (
            f"{counted(numbers, 'number')} in parameters, {size} in {self.dtype}; "
            f"{examples}: {peak} at the peak, of {limit} allowed"
        )

    def __str__(self) -> str:
        rows = [COLUMNS, *self.rows]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [_line(cells, widths) for cells in rows]
        rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
        return "\n".join([lines[0], rule, *lines[1:], rule, self.totals])

    __repr__ = __str__  # what a prompt shows

    def __rich__(self) -> Any:
        """Return the table for rich, which calls this; so rich need not be installed for anything else."""
        from rich.box import SIMPLE_HEAD
        from rich.table import Table
        from rich.text import Text

        table = Table(
            box=SIMPLE_HEAD,
            show_edge=False,
            pad_edge=False,
            caption=Text(self.totals),
            caption_justify="left",
        )
        for column in COLUMNS:
            table.add_column(column)
        for cells in self.rows:
            table.add_row(*map(Text, cells))  # a name is no markup
        return table


def _kind_of_input(entry: Mapping[str, Any]) -> str:
    own = next((key for key in ("parameter", "noise") if key in entry), "")
    return own or next((f"{key} input" for key in ("constant", "shared") if entry.get(key)), "input")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
