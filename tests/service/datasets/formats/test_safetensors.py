"""Safetensors files: every tensor is a column."""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import save
from support.datasets import gathered

from deltawire.errors import Refused
from deltawire.wire import Array
from deltawire_service.datasets.formats import arrays, safetensors
from deltawire_service.datasets.table import check_table

NUMBERS = np.random.default_rng(0)


def test_what_the_library_saves_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "BLOCK_BYTES", 100)  # several blocks
    given: dict[str, Array] = {
        "image": NUMBERS.normal(size=(20, 3, 2)).astype("float32"),
        "label": NUMBERS.integers(0, 9, 20),
        "price (€)": NUMBERS.normal(size=20),
    }
    body = save(given, {"format": "np"})
    for start in range(8):  # wherever the numbers lie
        found = gathered(safetensors.read(memoryview(bytes(start) + body)[start:], check_table))
        assert found.keys() == given.keys()
        assert all(np.array_equal(found[name], array) for name, array in given.items())


@pytest.mark.parametrize(
    "given, detail",
    [
        ({"a": np.zeros(3), "b": np.zeros(4)}, "columns have the same number of rows, got 'a' 3, 'b' 4"),
        ({"a": np.zeros(())}, "column 'a' is one number"),
        ({"a": np.zeros(0)}, "a dataset has columns and rows"),
        ({}, "a dataset has columns and rows"),
        ({"a\n": np.zeros(2)}, "is no name of a column"),
        ({"a": np.zeros(2, "int8")}, "expected one of float32, float64, int64"),
    ],
)
def test_what_is_no_table_is_refused(given: dict[str, Array], detail: str) -> None:
    with pytest.raises(Refused) as caught:
        safetensors.read(memoryview(save(given)), check_table)
    assert detail in caught.value.faults[0].detail or caught.value.faults[0].code == "dtype_unsupported"
