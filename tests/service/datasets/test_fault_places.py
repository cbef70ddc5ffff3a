"""What rows of a dataset are refused for is named by the row and the column."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deltawire.errors import Fault, Refused
from deltawire.wire import Array
from deltawire_service.datasets.columns import Rows
from deltawire_service.datasets.fault_places import naming_rows
from deltawire_service.datasets.rows import RowsReference

COLUMNS = ["a", "b", "c", "d"]


def named(fault: Fault, rows: RowsReference, arrays: dict[str, Array]) -> Fault:
    with pytest.raises(Refused) as refused, naming_rows(rows, arrays, "/data"):
        raise Refused([fault])
    return refused.value.faults[0]


@pytest.mark.parametrize("rows", [slice(30, 40), np.array([9, 4, 37, 2, 3])])
@pytest.mark.parametrize("number", [np.nan, -np.inf])
def test_a_number_is_named_by_its_row_and_column(rows: Rows, number: float) -> None:
    arrays: dict[str, Array] = {"x": np.zeros((10, 4))}
    place = 7 if isinstance(rows, slice) else 2
    arrays["x"][place, 2] = number
    fault = named(
        Fault("/data/x", "non_finite", "'x' is wrong"), RowsReference("", rows, {"x": COLUMNS}), arrays
    )
    assert fault.pointer == "/data/columns/x"
    assert fault.detail == "'x' is wrong; it is in row 37 of the dataset, in column 'c'"


def test_a_label_is_named_by_its_row() -> None:
    rows = RowsReference("", slice(16, 24), {"y": "label"})
    fault = named(Fault("/data/y/4", "label_out_of_range", "got 7"), rows, {"y": np.zeros(8, np.int64)})
    assert fault.detail == "got 7; it is in row 20 of the dataset, in column 'label'"


@pytest.mark.parametrize(
    ("fault", "pointer"),
    [
        (Fault("/network/nodes/0", "non_finite", "a node"), "/network/nodes/0"),
        (Fault("/data/x", "dtype_mismatch", "an array"), "/data/columns/x"),
        (Fault("/data/z", "missing_data", "an input without a column"), "/data/columns/z"),
    ],
)
def test_other_faults_only_point_to_their_column(fault: Fault, pointer: str) -> None:
    found = named(fault, RowsReference("", slice(0, 2), {"x": "x"}), {"x": np.zeros(2)})
    assert found == replace(fault, pointer=pointer)
