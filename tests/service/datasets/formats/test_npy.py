"""Files of numpy.save: one column, or the fields of a structured array."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from support.datasets import gathered

from deltawire.errors import Refused
from deltawire.wire import Array
from deltawire_service.datasets.formats import arrays, npy
from deltawire_service.datasets.table import check_table

NUMBERS = np.random.default_rng(0)


def saved(array: Array, **options: Any) -> memoryview:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, **options)
    return memoryview(file.getvalue())


def refusal(body: memoryview) -> str:
    with pytest.raises(Refused) as caught:
        npy.read(body, check_table)
    return caught.value.faults[0].detail


@pytest.mark.parametrize(
    "dtype, kept",
    [
        *(("float16", "float32"), ("float32", "float32"), ("float64", "float64"), (">f8", "float64")),
        *(("bool", "int64"), ("uint8", "int64"), ("int32", "int64"), ("uint32", "int64"), ("int64", "int64")),
    ],
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_is_the_column_x(dtype: str, kept: str, order: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "BLOCK_BYTES", 100)  # several blocks
    array = NUMBERS.integers(0, 2, (20, 3, 2)).astype(dtype, order=order)
    found = gathered(npy.read(saved(array), check_table))
    assert found.keys() == {"x"} and found["x"].dtype == kept and np.array_equal(found["x"], array)


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_the_fields_of_a_structured_array_are_columns(version: Any) -> None:
    array = np.zeros(5, [("image", "f4", (2, 2)), ("label", "i2")])
    array["image"], array["label"] = NUMBERS.normal(size=(5, 2, 2)), [3, 1, 4, 1, 5]
    found = gathered(npy.read(saved(array, version=version), check_table))
    assert np.array_equal(found["image"], array["image"]) and found["label"].tolist() == [3, 1, 4, 1, 5]


@pytest.mark.parametrize(
    "array, detail",
    [
        (np.array(1.0), "one number"),
        (np.zeros((0, 3)), "a dataset has columns and rows"),
        (np.zeros((3, 0)), "none of size 0"),
        (np.zeros(3, "complex128"), "column 'x' is complex128"),
        (np.array(["a"]), "column 'x' is str"),
        (np.zeros(3, "uint64"), "column 'x' is uint64"),
        (np.zeros((1,) * 9), "at most 7 axes"),
        (np.zeros(3, [("a", [("b", "f8")])]), "column 'a' is void"),
    ],
)
def test_what_is_no_table_is_refused(array: Array, detail: str) -> None:
    assert detail in refusal(saved(array))


@pytest.mark.parametrize(
    "header, detail",
    [
        ("(" * 150, "no file of numpy.save"),
        ("-" * 9000 + "1", "nested too deep"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (" + "-" * 8000 + "1,)}", "nested too deep"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (3,)}" + "+1" * 4000, "nested too deep"),
        ("[" * 9000, "no file of numpy.save"),
        ("{" * 190, "no file of numpy.save"),
        ("{'descr': [(1, 2, 3, 4)], 'fortran_order': False, 'shape': (3,)}", "no file of numpy.save"),
        ("1" * 20_000, "no file of numpy.save"),
    ],
)
def test_headers_that_break_the_parser_are_refused(header: str, detail: str) -> None:
    text = header.encode() + b"\n"
    body = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text
    found = refusal(memoryview(body))
    assert detail in found and len(found) < 300


def test_objects_are_not_read() -> None:
    assert "Python objects" in refusal(saved(np.array([{}, []], dtype=object)))


def test_any_damage_is_refused() -> None:
    body = saved(np.arange(6.0).reshape(3, 2))
    for size in range(len(body)):
        refusal(body[:size])
    assert "bytes of numbers came" in refusal(memoryview(bytes(body) + b"more"))
    for place in range(128):
        for bit in (1, 32):
            damaged = bytearray(body)
            damaged[place] ^= bit
            try:
                gathered(npy.read(memoryview(bytes(damaged)), check_table))
            except Refused:
                continue
