"""Tables of callers become bodies of uploads, with their bits."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltawire import Refused, wire
from deltawire.datasets.sources import body_of, open_source, read_columns


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (np.arange(3), "int64"),
        (np.arange(3, dtype=np.uint8), "int64"),
        (np.array([True, False]), "int64"),
        (np.zeros(3, np.float32), "float32"),
        (np.zeros(3, np.float16), "float32"),
        (np.zeros(3), "float64"),
        ([1, 2], "int64"),
        ([1, 2.5], "float64"),
        (np.array([1.5, None], object), "float64"),
    ],
)
def test_numbers_have_the_dtypes_of_datasets(values: Any, dtype: str) -> None:
    assert read_columns({"a": values})["a"].dtype == dtype


def test_texts_stay_texts_and_missing_ones_are_none() -> None:
    column = read_columns({"a": np.array(["x", None, float("nan")], object)})["a"]
    assert column.tolist() == ["x", None, None]
    assert read_columns({"a": ["x", "y"]})["a"].tolist() == ["x", "y"]


@pytest.mark.parametrize("source", [3, None, np.zeros((3, 2)), ["a"]])
def test_what_is_no_table_is_refused(source: Any) -> None:
    with pytest.raises(Refused, match="arrays by column"):
        read_columns(source)


def test_the_columns_of_structured_arrays_and_frames() -> None:
    structured = np.array([(1, 2.5), (2, 3.5)], [("a", "i4"), ("b", "f4")])
    expected = {"a": ("int64", [1, 2]), "b": ("float32", [2.5, 3.5])}
    assert {name: (c.dtype.name, c.tolist()) for name, c in read_columns(structured).items()} == expected


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames(library: str) -> None:
    frame = pytest.importorskip(library).DataFrame(
        {"n": [1, 2], "x": [0.1, None], "text": ["a", None], "flag": [True, False]}
    )
    columns = read_columns(frame)
    assert columns["n"].tolist() == [1, 2] and columns["flag"].tolist() == [1, 0]
    assert columns["x"][0] == 0.1 and np.isnan(columns["x"][1])
    assert columns["text"].tolist() == ["a", None]


def test_numbers_go_as_they_are() -> None:
    columns = {"a/b": np.array([0.1, np.nan]), "é": np.arange(2)}
    body = body_of(columns)
    assert body.media_type == wire.SAFETENSORS
    arrays = wire.read_checkpoint(b"".join(body.parts))
    assert {name: array.tobytes() for name, array in arrays.items()} == {
        name: array.tobytes() for name, array in columns.items()
    }


def test_texts_go_as_csv_with_every_digit_of_the_numbers() -> None:
    numbers = np.array([0.1 + 0.2, 1e-300, np.nan])
    body = body_of(read_columns({"text": ['say "a, b"', "line\nbreak", None], "x": numbers, "n": [1, 2, 3]}))
    assert body.media_type == "text/csv"
    rows = [*csv.reader(io.StringIO(b"".join(body.parts).decode(), newline=""))]
    assert rows[0] == ["text", "x", "n"] and rows[3] == ["", "", "3"]
    assert [rows[1][0], rows[2][0]] == ['say "a, b"', "line\nbreak"]
    assert [float(row[1]) for row in rows[1:3]] == numbers[:2].tolist()


def test_arrays_beside_texts_are_refused() -> None:
    with pytest.raises(Refused, match="no arrays") as caught:
        body_of(read_columns({"text": ["a"], "image": np.zeros((1, 2))}))
    assert caught.value.pointer == "/source/image"


def test_a_file_is_sent_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "table.CSV"
    path.write_bytes(b"a,b\n1,2\n")
    with open_source(path) as body:
        assert body.media_type == "text/csv" and b"".join(body.parts) == b"a,b\n1,2\n"


def test_files_that_are_no_tables_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    for name, detail in (("a.txt", "a file that ends in"), ("empty.csv", "is empty")):
        with pytest.raises(Refused, match=detail), open_source(tmp_path / name):
            pass
    with pytest.raises(FileNotFoundError), open_source(str(tmp_path / "none.npy")):
        pass
