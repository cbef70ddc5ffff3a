"""Rows of a table become inputs, whatever holds them."""

from __future__ import annotations

import numpy as np
import pytest

from deltawire import Refused
from deltawire.tables.table import Table

TABLE = Table(
    "classification",
    "y",
    "probabilities",
    {"x": ["age", "size"], "shop": "shop", "y": "colour"},
    {"shop": ("", "north", "south")},
    ("blue", "red"),
)


def test_it_goes_with_the_spec_of_a_network() -> None:
    assert Table.read({"metadata": TABLE.notes()}) == TABLE
    assert Table.read({"metadata": {}}) is None and Table.read({}) is None


def test_rows_become_inputs() -> None:
    inputs = TABLE.inputs({"age": [30, 40], "size": [1.5, 2.5], "shop": ["south", None]})
    assert inputs.keys() == {"x", "shop"}
    assert inputs["x"].tolist() == [[30.0, 1.5], [40.0, 2.5]] and inputs["shop"].tolist() == [2, 0]
    assert inputs["shop"].dtype == np.int64


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_are_rows_too(library: str) -> None:
    frame = pytest.importorskip(library).DataFrame({"age": [30], "size": [1.5], "shop": ["north"]})
    assert TABLE.inputs(frame)["shop"].tolist() == [1]


def test_a_missing_column_and_an_unknown_category_are_named() -> None:
    with pytest.raises(Refused, match="no column 'size'"):
        TABLE.inputs({"age": [1], "shop": ["north"]})
    with pytest.raises(Refused, match="a category of 'shop', got 'east'") as caught:
        TABLE.inputs({"age": [1], "size": [1], "shop": ["east"]})
    assert caught.value.pointer == "/data/shop"


def test_values_are_labels() -> None:
    assert TABLE.labels(np.array([[0.9, 0.1], [0.2, 0.8]])).tolist() == ["blue", "red"]
    numbers = Table("classification", "y", "probabilities", {}, {}, ())
    assert numbers.labels(np.array([[0.9, 0.1, 0.0]])).tolist() == [0]
    regression = Table("regression", "y", "prediction", {}, {}, ())
    assert regression.labels(np.array([1.5])).tolist() == [1.5]
