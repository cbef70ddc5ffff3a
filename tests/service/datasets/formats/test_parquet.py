"""Parquet as pyarrow writes it; and a named refusal where pyarrow is missing."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pytest
from support.datasets import gathered

from deltawire.errors import Refused
from deltawire.wire import Array
from deltawire_service.datasets.formats import categories, parquet
from deltawire_service.datasets.formats.parquet import ParquetMissing
from deltawire_service.datasets.formats.parquet_pages import read_pages
from deltawire_service.datasets.table import CheckTable, Column, Table, check_table
from deltawire_service.store.errors import QuotaExceeded


def written(columns: dict[str, Any], **options: Any) -> memoryview:
    import pyarrow
    from pyarrow.parquet import write_table

    file = io.BytesIO()
    write_table(pyarrow.table(columns), file, **options)
    return memoryview(file.getvalue())


def read(body: memoryview, check: CheckTable = check_table) -> Table:
    return parquet.read(body, check)


def test_without_pyarrow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ParquetMissing) as caught:
        read(memoryview(b"PAR1"))
    assert "deltawire[parquet]" in caught.value.faults[0].detail


@pytest.mark.parquet
@pytest.mark.parametrize("rows_of_a_group", [7, 1000])
def test_every_kind_of_column_is_read(rows_of_a_group: int, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow

    monkeypatch.setattr(parquet, "BLOCK_ROWS", 5)
    numbers = np.random.default_rng(0)
    plain: dict[str, Array] = {
        "wide": numbers.normal(size=40),
        "single": numbers.normal(size=40).astype("float32"),
        "small": numbers.integers(0, 99, 40).astype("uint8"),
        "large": numbers.integers(-(2**62), 2**62, 40),
        "flag": numbers.integers(0, 2, 40).astype(bool),
    }
    gaps = [None if i % 4 == 0 else i for i in range(40)]
    words = [None if i % 5 == 0 else "abc"[i % 3] for i in range(40)]
    pairs = numbers.normal(size=(40, 2)).astype("float32")
    table = read(
        written(
            {
                **plain,
                "gaps": pyarrow.array(gaps, pyarrow.int32()),
                "words": words,
                "coded": pyarrow.array(words).dictionary_encode(),
                "pair": pyarrow.FixedSizeListArray.from_arrays(pairs.ravel(), 2),
            },
            row_group_size=rows_of_a_group,
        )
    )
    arrays = gathered(table)
    assert all(np.array_equal(arrays[name], array) for name, array in plain.items())
    assert np.array_equal(arrays["gaps"], [np.nan if g is None else g for g in gaps], equal_nan=True)
    assert np.array_equal(arrays["pair"], pairs)
    columns = {column.name: column for column in table.columns}
    assert columns["gaps"].missing == 10 and columns["words"].missing == 8
    for name in ("words", "coded"):
        assert columns[name].categories == ("", "a", "b", "c")
        assert ["" if w is None else w for w in words] == [("", "a", "b", "c")[code] for code in arrays[name]]


@pytest.mark.parquet
@pytest.mark.parametrize(
    "values, detail",
    [
        ([[1.0], [2.0, 3.0]], "expected numbers, texts, or lists of a fixed size"),
        ([date(2020, 1, 1)], "expected numbers, texts, or lists of a fixed size"),
        (np.array([1], "uint64"), "column 'a' is uint64"),
        ([f"w{i}" for i in range(10_001)], "too many different texts"),
        (["w" * 300], "a text of more than 256 characters"),
        (np.zeros(0), "a dataset has columns and rows"),
    ],
)
def test_what_is_no_table_is_refused(values: Any, detail: str) -> None:
    with pytest.raises(Refused) as caught:
        gathered(read(written({"a": values})))
    assert detail in caught.value.faults[0].detail


@pytest.mark.parquet
def test_a_dictionary_may_have_texts_that_no_row_has() -> None:
    import pyarrow

    coded = pyarrow.DictionaryArray.from_arrays([2, 0, 2], ["a", "unused", "c"])
    table = read(written({"a": coded}))
    assert table.columns[0].categories == ("a", "c")
    assert gathered(table)["a"].tolist() == [1, 0, 1]


@pytest.mark.parquet
def test_texts_that_are_no_utf8_are_refused() -> None:
    body = bytes(written({"a": ["texttext"] * 9}, compression="none", write_statistics=False))
    assert body.count(b"texttext") == 1
    with pytest.raises(Refused):
        read(memoryview(body.replace(b"texttext", b"\xff\xfetextt")))


@pytest.mark.parquet
def test_damage_is_refused() -> None:
    body = written({"a": np.arange(1000.0), "b": [str(i % 7) for i in range(1000)]})
    for size in range(0, len(body), 97):
        with pytest.raises(Refused):
            read(body[:size])


@pytest.mark.parquet
def test_long_rows_are_decoded_few_at_a_time() -> None:
    import pyarrow

    size, rows = 4096, 512
    lists = pyarrow.FixedSizeListArray.from_arrays(np.zeros(size * rows, "float32"), size)
    body = written({"a": lists, "b": np.arange(rows)}, compression="zstd")
    assert len(body) < 100_000
    table = read(body)
    largest = max(block.numbers.nbytes for block in table.blocks())
    assert table.rows == rows and size * 4 <= largest <= parquet.BLOCK_BYTES
    assert not gathered(table)["a"].any()


@pytest.mark.parquet
def test_a_row_that_is_too_long_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow

    monkeypatch.setattr(parquet, "_batches", None)
    size = parquet.LARGEST_ROW // 8 + 1
    lists = pyarrow.FixedSizeListArray.from_arrays(np.zeros(size), size)
    with pytest.raises(Refused) as caught:
        read(written({"a": lists}))
    assert f"a row has {size * 8} bytes" in caught.value.faults[0].detail


@pytest.mark.parquet
@pytest.mark.parametrize(
    "bound, values", [("PAGE_BYTES", np.arange(9000.0)), ("TEXT_BYTES", [f"w{i}" for i in range(9000)])]
)
def test_a_page_that_is_too_large_is_refused_before_it_is_decoded(
    bound: str, values: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, bound, 2**15)
    assert read(written({"a": values}, row_group_size=1000)).rows == 9000
    monkeypatch.setattr(parquet, "_batches", None)
    with pytest.raises(Refused) as caught:
        read(written({"a": values}))
    detail = caught.value.faults[0].detail
    assert "column 'a' of row group 0" in detail and "write smaller pages" in detail


@pytest.mark.parquet
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_the_pages_are_those_that_pyarrow_reads(version: str) -> None:
    from pyarrow.parquet import ParquetFile

    texts = [f"word {i % 700}" for i in range(30_000)]
    options: dict[str, Any] = {"data_page_version": version, "data_page_size": 2000, "row_group_size": 10_000}
    for dictionary in (True, False):
        body = written({"a": texts}, use_dictionary=dictionary, compression="none", **options)
        metadata = ParquetFile(io.BytesIO(body)).metadata
        for number in range(metadata.num_row_groups):
            chunk = metadata.row_group(number).column(0)
            start = chunk.dictionary_page_offset or chunk.data_page_offset
            pages = list(read_pages(body, start, start + chunk.total_compressed_size))
            size, whole = sum(page.size for page in pages), chunk.total_uncompressed_size
            assert len(pages) > 3 and whole - 150 * len(pages) < size < whole
            assert (pages[0].encoding is None) is dictionary


@pytest.mark.parquet
def test_the_sizes_of_the_footer_are_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    body = written({"a": ["A" * 5000]}, use_dictionary=False, compression="zstd", write_statistics=False)
    footer = len(body) - 8 - int.from_bytes(body[-8:-4], "little")
    from pyarrow.parquet import ParquetFile

    size = ParquetFile(io.BytesIO(body)).metadata.row_group(0).column(0).total_uncompressed_size
    told, lie = (bytes([n << 1 & 127 | 128, n << 1 >> 7]) for n in (size, 100))
    changed = bytes(body[:footer]) + bytes(body[footer:]).replace(told, lie)
    assert changed != bytes(body)
    monkeypatch.setattr(parquet, "TEXT_BYTES", 1000)
    with pytest.raises(Refused) as caught:
        read(memoryview(changed))
    assert "has a page of 50" in caught.value.faults[0].detail


@pytest.mark.parquet
def test_an_encoding_that_expands_without_a_bound_is_refused() -> None:
    options = {"use_dictionary": False, "column_encoding": {"a": "DELTA_BYTE_ARRAY"}}
    with pytest.raises(Refused) as caught:
        read(written({"a": ["one", "ones"]}, **options))
    assert "write it with a dictionary" in caught.value.faults[0].detail


@pytest.mark.parquet
def test_an_integer_that_float64_does_not_hold_is_refused_beside_gaps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import pyarrow

    monkeypatch.setattr(parquet, "BLOCK_ROWS", 3)
    numbers = [1, None, 2**60, None, -(2**53)]
    found = gathered(read(written({"a": pyarrow.array(numbers)})))["a"]
    assert np.array_equal(found, [np.nan if n is None else n for n in numbers], equal_nan=True)
    for wrong in (2**53 + 1, 2**63 - 1):
        for array in (pyarrow.array([*numbers, wrong]), pyarrow.array([*numbers, wrong]).dictionary_encode()):
            with pytest.raises(Refused) as caught:
                gathered(read(written({"a": array})))
            assert f"row 5: column 'a' has gaps, so it is float64, which does not hold {wrong}" in (
                caught.value.faults[0].detail
            )
    flags = gathered(read(written({"a": [True, None, False]})))["a"]
    assert flags[[0, 2]].tolist() == [1.0, 0.0] and np.isnan(flags[1])


@pytest.mark.parquet
def test_two_columns_of_one_name_are_refused() -> None:
    import pyarrow
    from pyarrow.parquet import write_table

    file = io.BytesIO()
    write_table(pyarrow.Table.from_arrays([pyarrow.array([1]), pyarrow.array([2])], names=["a", "a"]), file)
    with pytest.raises(Refused) as caught:
        read(memoryview(file.getvalue()))
    assert "two columns have the name 'a'" in caught.value.faults[0].detail


@pytest.mark.parquet
def test_the_rows_that_a_file_claims_are_judged_before_a_page_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parquet, "read_pages", None)  # called afterwards
    checked: list[int] = []

    def check(columns: Sequence[Column], rows: int) -> None:
        checked.append(rows)
        raise QuotaExceeded("too much")

    body = written({"a": np.zeros(3_000_000, np.int8), "b": ["x"] * 3_000_000})
    assert len(body) < 100_000
    with pytest.raises(QuotaExceeded):
        read(body, check)
    assert checked == [3_000_000]


@pytest.mark.parquet
def test_texts_have_few_characters_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(categories, "MOST_CHARACTERS", 20)
    with pytest.raises(Refused, match="column 'b' has too long texts: at most 20 characters"):
        read(written({"a": ["eleven", "twelve"], "b": ["five", "sixteen"]}))
