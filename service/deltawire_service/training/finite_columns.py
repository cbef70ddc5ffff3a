"""Columns that a run cannot learn from: their statistics tell of numbers that are not finite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from deltawire.errors import Fault
from deltawire_plugins.shown import shown
from deltawire_service.datasets.rows import InputDtype, RowsReference
from deltawire_service.faults import Faults, escape

BEYOND_FLOAT32 = 2.0**128 - 2.0**103
"""The smallest number that becomes infinite in float32."""


def check_finite(columns: str, rows: RowsReference, inputs: Mapping[str, InputDtype]) -> None:
    """Check the columns of a run before its first step.

    Args:
        columns: the descriptions of the dataset's columns, as JSON.
        rows: the rows of the dataset, by input.
        inputs: the dtypes that the inputs need.

    Raises:
        Refused: a column has numbers that are not finite, or that are not in float32.
    """
    described = {column["name"]: column for column in orjson.loads(columns)}
    faults = Faults()
    for name, source in rows.sources.items():
        for column in [source] if isinstance(source, str) else source:
            for code, detail in _problems(described[column], inputs[name].dtype):
                what = f"column {shown(column)} of dataset '{rows.name}' has {detail}"
                faults.append(Fault(f"/columns/{escape(name)}", code, what))
    faults.refuse()


def _problems(column: Mapping[str, Any], dtype: str) -> Iterator[tuple[str, str]]:
    if count := column["non_finite"]:
        mend = "fill them in, or leave out their rows"
        yield "non_finite", f"{count} numbers that are not finite, such as NaN of an empty cell: {mend}"
    least, most = column["min"], column["max"]
    if dtype == "float32" and most is not None and max(-least, most) >= BEYOND_FLOAT32:
        yield "tensor_invalid", f"numbers from {least:g} to {most:g}, which float32 does not hold"
