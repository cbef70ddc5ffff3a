"""References to rows: what they mean, what is refused, and that a ledger gives them back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from support.datasets import make_columns

from deltawire.errors import Refused
from deltawire_service.datasets.columns import Columns
from deltawire_service.datasets.row_order import EpochRows
from deltawire_service.datasets.rows import InputDtype, RowsReference, read_reference, resolve_rows
from deltawire_service.store.tables.datasets import DatasetRow

NUMBERS = np.random.default_rng(0)
ARRAYS = {
    "x": NUMBERS.normal(size=(20, 4)),
    "y": NUMBERS.integers(0, 3, 20),
    "width": NUMBERS.normal(size=20),
    "height": NUMBERS.normal(size=20).astype("float32"),
}
ROW = DatasetRow("id", "anna", "d", "", 20, 0)
INPUTS = {"x": InputDtype("float64"), "y": InputDtype("int64"), "mask": InputDtype("float64", batched=False)}


@pytest.fixture
def columns(tmp_path: Path) -> Columns:
    return make_columns(tmp_path, ARRAYS)


def resolve(table: Columns, **document: Any) -> RowsReference:
    return resolve_rows(read_reference({"dataset": "d", **document}), ROW, table, INPUTS)


def fault(table: Columns, **document: Any) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        resolve(table, **document)
    return caught.value.faults[0].pointer, caught.value.faults[0].code


@pytest.mark.parametrize(
    "rows, expected",
    [
        ({}, slice(0, 20)),
        ({"start": 5}, slice(5, 20)),
        ({"stop": 5}, slice(0, 5)),
        ({"start": 2, "stop": 9}, slice(2, 9)),
        ({"indices": [3, 1, 3]}, np.array([3, 1, 3])),
    ],
)
def test_rows_become_arrays_by_input(columns: Columns, rows: Any, expected: Any) -> None:
    reference = resolve(columns, rows=rows)
    arrays = reference.gather(columns, INPUTS)
    assert arrays.keys() == {"x", "y"}
    assert all(np.array_equal(arrays[name], ARRAYS[name][expected]) for name in arrays)
    assert reference.gathered_bytes(columns, INPUTS) == sum(array.nbytes for array in arrays.values())
    assert reference.count == len(arrays["x"])


def test_numbers_in_each_row_are_joined(columns: Columns) -> None:
    reference = resolve(columns, columns={"x": ["width", "height", "width"]}, rows={"indices": [7, 0]})
    joined = reference.gather(columns, INPUTS)["x"]
    expected = [ARRAYS[name][[7, 0]] for name in ("width", "height", "width")]
    assert joined.dtype == "float64" and np.array_equal(joined, np.stack(expected, axis=1))
    assert reference.gathered_bytes(columns, INPUTS) == joined.nbytes + 2 * 8


def test_the_rows_of_a_run_are_named_as_its_ledger_has_them(columns: Columns) -> None:
    rows = EpochRows(seed=7, epoch=3, start=4, stop=9, of=20, held_out=5)
    arrays = resolve(columns, rows=rows.document()).gather(columns, INPUTS)
    assert all(np.array_equal(array, ARRAYS[name][rows.indices()]) for name, array in arrays.items())
    everything = resolve(columns, rows={"seed": 7, "held_out": 5}).rows
    assert np.array_equal(everything, EpochRows(7, 1, 0, 15, 20, 5).indices())


def test_places_of_an_order_are_bounded_before_they_are_listed(
    columns: Columns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deltawire_service.datasets.rows.MOST_PLACES", 19)
    assert fault(columns, rows={"seed": 0}) == ("/data/rows", "row_out_of_range")
    assert resolve(columns, rows={"seed": 0, "start": 1}).count == 19


@pytest.mark.parametrize("rows", [{"start": 4, "stop": 9}, {"indices": [5, 5, 1]}])
@pytest.mark.parametrize("named", [{}, {"x": ["width", "height"]}])
def test_a_ledger_gives_a_reference_back(columns: Columns, rows: Any, named: Any) -> None:
    reference = resolve(columns, rows=rows, columns=named)
    details, arrays = reference.record()
    again = RowsReference.recorded("id", orjson.loads(orjson.dumps(details)), arrays)
    first, second = reference.gather(columns, INPUTS), again.gather(columns, INPUTS)
    assert first.keys() == second.keys()
    assert all(array.tobytes() == second[name].tobytes() for name, array in first.items())


@pytest.mark.parametrize(
    "document, expected",
    [
        ({"rows": {"start": 5, "stop": 4}}, ("/data/rows", "row_out_of_range")),
        ({"rows": {"stop": 21}}, ("/data/rows", "row_out_of_range")),
        ({"rows": {"start": -1}}, ("/data/rows/start", "field_invalid")),
        ({"rows": {"start": 0, "indices": [1]}}, ("/data/rows", "field_invalid")),
        ({"rows": {"indices": [1, 20]}}, ("/data/rows/indices/1", "row_out_of_range")),
        ({"rows": {"indices": [-1]}}, ("/data/rows/indices/0", "row_out_of_range")),
        ({"rows": {"indices": [0.5]}}, ("/data/rows/indices/0", "dtype_mismatch")),
        ({"rows": {"indices": [[1]]}}, ("/data/rows/indices", "shape_invalid")),
        ({"rows": {"seed": 0, "indices": [1]}}, ("/data/rows/seed", "field_invalid")),
        ({"rows": {"epoch": 2}}, ("/data/rows/epoch", "field_invalid")),
        ({"rows": {"seed": 0, "epoch": 0}}, ("/data/rows/epoch", "field_invalid")),
        ({"rows": {"seed": -1}}, ("/data/rows/seed", "field_invalid")),
        ({"rows": {"seed": 0, "of": 21}}, ("/data/rows", "row_out_of_range")),
        ({"rows": {"seed": 0, "stop": 20, "held_out": 1}}, ("/data/rows", "row_out_of_range")),
        ({"rows": {"seed": 0, "held_out": 21}}, ("/data/rows", "row_out_of_range")),
        ({"rows": [0, 5]}, ("/data/rows", "field_invalid")),
        ({"colums": {}}, ("/data/colums", "field_unknown")),
        ({"columns": {"x": "wdith"}}, ("/data/columns/x", "unknown_column")),
        ({"columns": {"x": ["width", 3]}}, ("/data/columns/x", "unknown_column")),
        ({"columns": {"x": ["width", "x"]}}, ("/data/columns/x", "shape_invalid")),
        ({"columns": {"x": []}}, ("/data/columns/x", "field_invalid")),
        ({"columns": {"z": "x"}}, ("/data/columns/z", "unknown_data")),
        ({"columns": {"mask": "x"}}, ("/data/columns/mask", "field_invalid")),
    ],
)
def test_what_is_not_there_is_refused(columns: Columns, document: Any, expected: tuple[str, str]) -> None:
    assert fault(columns, **document) == expected


def test_columns_of_other_names_must_be_named(columns: Columns) -> None:
    with pytest.raises(Refused, match="which column is for which; known: height, width, x, y"):
        resolve_rows(read_reference({"dataset": "d"}), ROW, columns, {"input": InputDtype("float64")})


def test_columns_are_as_long_as_a_ledger_may_repeat(columns: Columns) -> None:
    assert fault(columns, columns={"x": 8000 * ["width"]}) == ("/data/columns", "field_invalid")
    assert len(resolve(columns, columns={"x": 5000 * ["width"]}).sources["x"]) == 5000
