"""Rows of a dataset in place of a batch: what a document refers to, and the arrays that become of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple, Self

import numpy as np

from deltawire import wire
from deltawire.errors import Fault, Refused
from deltawire.wire import Array
from deltawire_plugins.shown import shown
from deltawire_service.datasets.columns import Columns, Rows
from deltawire_service.datasets.row_order import EpochRows
from deltawire_service.engine import Network
from deltawire_service.faults import Faults, escape, load, nearest
from deltawire_service.schemas.dataset_requests import RowsReferenceSchema
from deltawire_service.store.tables.datasets import DatasetRow

Source = str | tuple[str, ...]
"""The column of an input; or several with a number in each row, which become its last axis."""

COLUMNS_BYTES = 2**16
"""Length of the columns by input, as JSON: each entry of a ledger repeats them."""

MOST_PLACES = 2**20
"""Places of an epoch's order that a request may name: their indices are listed before rows are measured."""

ORDER = ("seed", "epoch", "of", "held_out")
"""The keys that name the order of an epoch."""

INDICES = "rows/indices"
"""The array of a ledger's entry that has the indices of its rows."""


class InputDtype(NamedTuple):
    """An input that rows can be for: its dtype, and whether it has a batch axis."""

    dtype: str
    batched: bool = True


def input_dtypes(network: Network, dtype: str) -> dict[str, InputDtype]:
    """Return what each input of a network needs.

    Args:
        network: the network.
        dtype: the floating-point dtype that is computed with.
    """
    return {
        name: InputDtype(spec.dtype if spec.dtype == "int64" else dtype, not spec.shared)
        for name, spec in network.inputs.items()
    }


@dataclass(frozen=True)
class RowsReference:
    """Rows of a dataset, by the inputs that they are for.

    Attributes:
        dataset: the id of the dataset's row in the database.
        rows: a range or indices; all are there.
        sources: the columns by input.
        name: the name of the dataset, for whoever reads the ledger.
    """

    dataset: str
    rows: Rows
    sources: Mapping[str, Source]
    name: str = ""

    @property
    def count(self) -> int:
        """Number of rows."""
        return self.rows.stop - self.rows.start if isinstance(self.rows, slice) else len(self.rows)

    def gather(self, columns: Columns, inputs: Mapping[str, InputDtype]) -> dict[str, Array]:
        """Return the arrays by input, read-only, (rows, *shape).

        Args:
            columns: the columns of the dataset.
            inputs: the dtypes that the inputs need.

        Raises:
            Refused: a number has no equal in the dtype that its input needs.
        """
        return {
            name: _gather(columns, source, self.rows, inputs[name].dtype, f"/data/{escape(name)}")
            for name, source in self.sources.items()
        }

    def record(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Return what a ledger keeps beside the id of the dataset: JSON, and the indices as an array."""
        columns = {name: s if isinstance(s, str) else list(s) for name, s in self.sources.items()}
        details: dict[str, Any] = {"dataset": self.name, "columns": columns}
        if isinstance(self.rows, slice):
            return details | {"rows": {"start": self.rows.start, "stop": self.rows.stop}}, {}
        return details | {"rows": {"indices": self.count}}, {INDICES: self.rows}

    @classmethod
    def recorded(cls, dataset: str, details: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        """Return the reference that an entry of a ledger keeps.

        Args:
            dataset: the id of the dataset's row in the database.
            details: the JSON of `record`.
            arrays: its arrays.
        """
        kept = details["rows"]
        if "seed" in kept:  # a run: listing the rows of each step would take more room than the dataset
            rows: Rows = EpochRows(**kept).indices()
        else:
            rows = arrays[INDICES] if "indices" in kept else slice(kept["start"], kept["stop"])
        columns = details["columns"]
        return cls(
            dataset, rows, {name: s if isinstance(s, str) else tuple(s) for name, s in columns.items()}
        )

    def gathered_bytes(self, columns: Columns, inputs: Mapping[str, InputDtype]) -> int:
        """Return the bytes of the arrays, before they are gathered.

        Args:
            columns: the columns of the dataset.
            inputs: the dtypes that the inputs need.
        """
        return sum(
            self.count * prod(columns[name].shape) * wire.DTYPES[inputs[place].dtype].itemsize
            for place, source in self.sources.items()
            for name in ([source] if isinstance(source, str) else source)
        )


def read_reference(document: Any, pointer: str = "/data") -> dict[str, Any]:
    """Return the dataset, rows and columns that the data of a document name.

    Args:
        document: the data, an object with the name of a dataset.
        pointer: its place in the request, as a JSON pointer.

    Raises:
        Refused: it does not fit the schema.
    """
    return load(RowsReferenceSchema(), document, pointer)


def resolve_rows(
    reference: Mapping[str, Any],
    dataset: DatasetRow,
    columns: Columns,
    inputs: Mapping[str, InputDtype],
    limits: wire.Limits = wire.DEFAULT,
    pointer: str = "/data",
) -> RowsReference:
    """Find the rows and the columns that a document names.

    An input without a column of its own in the document gets the one of the same name, if there is any.

    Args:
        reference: the document, as `read_reference` returns it.
        dataset: the dataset.
        columns: the columns of the dataset.
        inputs: the inputs of the network that need data.
        limits: bounds on the indices.
        pointer: the place of the document in the request, as a JSON pointer.

    Raises:
        Refused: a row, a column or an input is not there.
    """
    rows = _read_rows(reference["rows"], columns.rows, limits, f"{pointer}/rows")
    sources = _read_sources(reference["columns"], columns, inputs, f"{pointer}/columns")
    return RowsReference(dataset.id, rows, sources, dataset.name)


def _read_rows(rows: Mapping[str, Any], count: int, limits: wire.Limits, pointer: str) -> Rows:
    start, stop, indices = rows["start"], rows["stop"], rows["indices"]
    if rows["seed"] is not None and indices is None:
        return _read_order(rows, count, pointer)
    if name := next((name for name in ORDER if rows[name] is not None), None):
        detail = "the order of an epoch has a seed, and a range in place of indices"
        raise Refused([Fault(f"{pointer}/{name}", "field_invalid", detail)])
    if indices is None:
        start, stop = start or 0, count if stop is None else stop
        if not start <= stop <= count:
            detail = f"the dataset has rows 0 to {count - 1}, got those from {start} up to before {stop}"
            raise Refused([Fault(pointer, "row_out_of_range", detail)])
        return slice(start, stop)
    if start is not None or stop is not None:
        raise Refused([Fault(pointer, "field_invalid", "rows are a range or indices, not both")])
    chosen = wire.read_tensor(indices, "int64", f"{pointer}/indices", limits)
    if chosen.ndim != 1:
        detail = f"expected a list of integers, got an array of shape {list(chosen.shape)}"
        raise Refused([Fault(f"{pointer}/indices", "shape_invalid", detail)])
    wrong = np.flatnonzero((chosen < 0) | (chosen >= count))
    if wrong.size:
        detail = f"the dataset has rows 0 to {count - 1}, got {chosen[wrong[0]]}"
        raise Refused([Fault(f"{pointer}/indices/{wrong[0]}", "row_out_of_range", detail)])
    return chosen


def _read_order(rows: Mapping[str, Any], count: int, pointer: str) -> Rows:
    """Return the indices of places in the order of an epoch, as the ledger names the batch of a run."""
    held_out, of = rows["held_out"] or 0, rows["of"]
    taken = count - held_out
    start, stop = rows["start"] or 0, taken if rows["stop"] is None else rows["stop"]
    detail = ""
    if of not in (None, count):
        detail = f"the order is one of {of} rows, the dataset has {count}"
    elif not start <= stop <= taken:
        detail = f"the order has the places 0 to {taken - 1}, got those from {start} up to before {stop}"
    elif stop - start > MOST_PLACES:
        detail = f"{stop - start} places of an order are asked for, at most {MOST_PLACES} are allowed at once"
    if detail:
        raise Refused([Fault(pointer, "row_out_of_range", detail)])
    return EpochRows(rows["seed"], rows["epoch"] or 1, start, stop, count, held_out).indices()


def _read_sources(
    named: Mapping[str, Any], columns: Columns, inputs: Mapping[str, InputDtype], pointer: str
) -> dict[str, Source]:
    faults, sources = Faults(), dict[str, Source]()
    for name, source in named.items():
        place = f"{pointer}/{escape(name)}"
        if name not in inputs:
            detail = f"the network has no input {shown(name)}{nearest(name, inputs)}"
            faults.append(Fault(place, "unknown_data", detail))
        elif not inputs[name].batched:
            detail = f"input '{name}' is shared by all examples: a dataset has no data for it"
            faults.append(Fault(place, "field_invalid", detail))
        else:
            sources[name] = _read_source(source, columns, place, faults)
    for name, spec in inputs.items():
        if spec.batched and name not in named and name in columns:
            sources[name] = name
    if not sources and not faults:
        detail = f"no input has the name of a column: say which column is for which{nearest('', columns)}"
        faults.append(Fault(pointer, "missing_data", detail))
    faults.refuse()
    if (size := len(json.dumps(sources))) > COLUMNS_BYTES:
        detail = f"the names of the columns have {size} bytes, at most {COLUMNS_BYTES} are allowed"
        raise Refused([Fault(pointer, "field_invalid", f"{detail}: the ledger keeps them with each step")])
    return sources


def _read_source(source: Any, columns: Columns, pointer: str, faults: Faults) -> Source:
    several = isinstance(source, list)
    names: list[Any] = source if several else [source]
    for name in names:
        if not (isinstance(name, str) and name in columns):
            detail = f"the dataset has no column {shown(name)}{nearest(name, columns)}"
            faults.append(Fault(pointer, "unknown_column", detail))
        elif several and columns[name].shape:
            detail = f"only columns with a number in each row can be joined, {shown(name)} has arrays"
            faults.append(Fault(pointer, "shape_invalid", detail))
    if not names:
        faults.append(Fault(pointer, "field_invalid", "expected a column or a list of columns, got none"))
    return tuple(names) if several else names[0] if names else ""


def _gather(columns: Columns, source: Source, rows: Rows, dtype: str, pointer: str) -> Array:
    if isinstance(source, str):
        return columns.gather(source, rows, dtype, pointer)
    first = columns.gather(source[0], rows, dtype, pointer)
    joined = np.empty((len(first), len(source)), dtype)
    joined[:, 0] = first
    for place, name in enumerate(source[1:], 1):
        joined[:, place] = columns.gather(name, rows, dtype, pointer)
    joined.flags.writeable = False
    return joined
