"""Rows of a dataset as documents say them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deltawire import Refused
from deltawire.datasets.rows import DatasetRows, choose_rows, column_sources, rows_document


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((None, None, None), {}),
        ((2, 5, None), {"start": 2, "stop": 5}),
        ((np.int64(2), None, None), {"start": 2}),
        ((None, None, np.array([3, 1, 3], np.int32)), {"indices": [3, 1, 3]}),
        ((None, None, []), {"indices": []}),
    ],
)
def test_rows_are_a_range_or_indices(arguments: Any, expected: Any) -> None:
    assert choose_rows(*arguments) == expected


@pytest.mark.parametrize(
    ("arguments", "pointer"),
    [
        ((-1, None, None), "/rows/start"),
        ((None, 2.5, None), "/rows/stop"),
        ((True, None, None), "/rows/start"),
        ((None, None, [0.5]), "/rows/indices"),
        ((None, None, [[1]]), "/rows/indices"),
    ],
)
def test_what_is_no_row_is_refused(arguments: Any, pointer: str) -> None:
    with pytest.raises(Refused) as caught:
        choose_rows(*arguments)
    assert caught.value.pointer == pointer


def test_data_are_rows_where_they_name_a_dataset() -> None:
    rows = DatasetRows("wine", {"start": 1}, {"x": ["a", "b"]})
    document = {"dataset": "wine", "rows": {"start": 1}, "columns": {"x": ["a", "b"]}}
    assert rows_document(rows) == rows_document(document) == document
    assert rows_document(DatasetRows("wine")) == {"dataset": "wine"}
    assert rows_document({"dataset": np.zeros(3)}) is None and rows_document({"x": 1}) is None
    assert repr(rows) == "DatasetRows('wine', {'start': 1}, {'x': ['a', 'b']})"


def test_columns_are_by_input() -> None:
    assert column_sources({"x": ("a", "b"), "y": "c"}) == {"x": ["a", "b"], "y": "c"}
    assert column_sources(None) == {}
    with pytest.raises(Refused, match="columns by input"):
        column_sources(["a"])
