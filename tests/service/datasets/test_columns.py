"""Rows of columns: numpy's own indexing and conversion, and refusals by row of what has no equal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.datasets import make_columns

from deltawire.errors import Refused
from deltawire_service.datasets.columns import Columns

X = np.random.default_rng(0).normal(size=(50, 4))
ROWS = [slice(0, 50), slice(7, 19), slice(5, 5), np.array([3, 3, 49, 0]), np.array([], np.int64)]


@pytest.fixture
def columns(tmp_path: Path) -> Columns:
    whole = np.arange(50)
    return make_columns(
        tmp_path,
        {
            "x": X,
            "single": X.astype("float32"),
            "label": whole,
            "large": np.where(whole == 30, 2**53 + 1, whole),
            "largest": np.where(whole == 9, 2**63 - 1, whole),
            "half": whole / 2,
            "gaps": np.where(whole == 20, np.nan, whole),
            "huge": np.where(whole == 40, 1e300, 1.0),
            "matrix": np.where(whole == 11, 0.5, whole)[:, None, None] + np.zeros((50, 2, 2)),
        },
    )


@pytest.mark.parametrize("rows", ROWS, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_are_those_of_numpy(columns: Columns, rows: slice, dtype: str) -> None:
    array = columns.gather("x", rows, dtype)
    assert array.dtype == dtype and np.array_equal(array, X[rows].astype(dtype))
    assert array.flags.c_contiguous and array.flags.aligned and not array.flags.writeable
    assert np.array_equal(columns.gather("single", rows, dtype), X[rows].astype("float32"))
    assert np.array_equal(columns.gather("label", rows, dtype), np.arange(50)[rows])


def test_a_range_is_a_view_of_the_file(columns: Columns) -> None:
    assert np.shares_memory(
        columns.gather("x", slice(3, 9), "float64"), columns.gather("x", slice(8, 9), "float64")
    )


def test_whole_floats_become_integers(columns: Columns) -> None:
    assert columns.gather("half", np.array([2, 4]), "int64").tolist() == [1, 2]


@pytest.mark.parametrize(
    "column, rows, dtype, message",
    [
        ("half", slice(0, 50), "int64", "'half' has 0.5 in row 1: this input takes integers"),
        ("half", np.array([4, 7]), "int64", "'half' has 3.5 in row 7"),
        ("gaps", slice(10, 50), "int64", "'gaps' has nan in row 20"),
        ("huge", slice(0, 50), "int64", "'huge' has 1e+300 in row 40"),
        ("huge", slice(0, 50), "float32", "'huge' has 1e+300 in row 40: it is out of the range of float32"),
        ("large", slice(20, 50), "float64", "'large' has 9007199254740993 in row 30: float64 does not hold"),
        ("large", slice(20, 50), "float32", "'large' has 9007199254740993 in row 30: float32 does not hold"),
        ("largest", slice(0, 50), "float64", "'largest' has 9223372036854775807 in row 9"),
        ("matrix", slice(0, 50), "int64", "'matrix' has 0.5 in row 11"),
    ],
)
def test_what_has_no_equal_is_refused_by_row(
    columns: Columns, column: str, rows: slice, dtype: str, message: str
) -> None:
    with pytest.raises(Refused, match=message.replace("+", r"\+")):
        columns.gather(column, rows, dtype)


def test_nan_stays(columns: Columns) -> None:
    assert np.isnan(columns.gather("gaps", slice(20, 21), "float32")).all()
