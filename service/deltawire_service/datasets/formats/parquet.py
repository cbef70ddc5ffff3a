"""Tables as Parquet, with the extra `parquet`: numbers, truth values, texts, and lists of a fixed size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from deltawire.errors import Refused
from deltawire.wire import Array
from deltawire_plugins.shown import shown
from deltawire_service.datasets.columns import differs
from deltawire_service.datasets.formats.arrays import column_dtype
from deltawire_service.datasets.formats.categories import LONGEST_TEXT, HeldTexts
from deltawire_service.datasets.formats.parquet_pages import DELTA_BYTE_ARRAY, PageDamaged, read_pages
from deltawire_service.datasets.table import MOST_COLUMNS, Block, CheckTable, Column, Table, refuse
from deltawire_service.engine import check_deadline
from deltawire_service.faults import ServiceError

BLOCK_ROWS = 2**14
"""Rows that are decoded at once, at most."""

BLOCK_BYTES = 2**20
"""Bytes after which no more rows are decoded at once."""

LARGEST_ROW = 2**24
"""Bytes of one row, with all its columns."""

PAGE_BYTES = 2**28
"""Bytes of a page of numbers, which is decompressed as a whole."""

TEXT_BYTES = 2**26
"""The same for a page of texts, which are copied several times while they are decoded."""


class ParquetMissing(ServiceError):
    """Parquet is read with pyarrow, which is not installed here."""

    code = "format_not_installed"
    detail = (
        "Parquet is read with pyarrow, which this service does not have: pip install 'deltawire[parquet]'"
    )


def read(body: memoryview, check: CheckTable) -> Table:
    """Return the table in a file.

    Numbers with gaps become float64 with NaN. Texts become the codes of categories; a gap is the category "".

    Args:
        body: the file.
        check: checks the columns before any is decoded, and all when their types are known.

    Raises:
        ParquetMissing: pyarrow is not installed.
        Refused: the file is not well formed, has columns that are no numbers or texts, or takes too much
            memory to decode.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ParquetMissing from None
    try:
        return _read(pyarrow, parquet, body, check)
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError, PageDamaged) as error:
        raise _invalid(error) from None


def _read(arrow: Any, parquet: Any, body: memoryview, check: CheckTable) -> Table:
    schema = parquet.read_schema(arrow.BufferReader(body))
    if len(schema) > MOST_COLUMNS:
        raise refuse("dataset_invalid", f"{len(schema)} columns, at most {MOST_COLUMNS} are allowed")
    fields = [_Kind(arrow, field) for field in schema]
    kinds = {kind.name: kind for kind in fields}
    texts = [name for name, kind in kinds.items() if kind.is_text]
    # Texts stay indices into a dictionary: a page of few bytes may stand for many long ones.
    file = parquet.ParquetFile(arrow.BufferReader(body), read_dictionary=texts)
    rows = file.metadata.num_rows
    expected = [kind.expected() for kind in fields]
    check(expected, rows)
    block_rows = _block_rows(expected)
    _check_pages(body, file.metadata)
    held = HeldTexts()
    for batch in _batches(file, block_rows):
        for name, kind in kinds.items():
            kind.examine(batch.column(name), held)
    columns = tuple(kind.described() for kind in kinds.values())
    check(columns, rows)
    return Table(columns, rows, partial(_blocks, arrow, file, kinds, block_rows))


def _block_rows(columns: Sequence[Column]) -> int:
    """Return how many rows are decoded at once."""
    row_bytes = sum(column.row_bytes for column in columns)
    if row_bytes > LARGEST_ROW:
        raise refuse("dataset_invalid", f"a row has {row_bytes} bytes, at most {LARGEST_ROW} are allowed")
    return max(1, min(BLOCK_ROWS, BLOCK_BYTES // row_bytes))


def _check_pages(body: memoryview, metadata: Any) -> None:
    """Refuse pages that take too much memory to decode, before any of them is decoded."""
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        for place in range(group.num_columns):
            chunk = group.column(place)
            what = f"column {shown(chunk.path_in_schema)} of row group {number}"
            most = TEXT_BYTES if chunk.physical_type == "BYTE_ARRAY" else PAGE_BYTES
            start = chunk.data_page_offset
            if chunk.has_dictionary_page:
                start = min(start, chunk.dictionary_page_offset or start)
            for page in read_pages(body, start, start + chunk.total_compressed_size):
                check_deadline()
                if page.size > most:
                    detail = f"{what} has a page of {page.size} bytes, at most {most} are allowed"
                    raise refuse("dataset_invalid", f"{detail}: write smaller pages or row groups")
                if page.encoding == DELTA_BYTE_ARRAY:
                    detail = f"{what} is encoded as DELTA_BYTE_ARRAY: write it with a dictionary, or plain"
                    raise refuse("dataset_invalid", detail)


def _blocks(arrow: Any, file: Any, kinds: dict[str, _Kind], block_rows: int) -> Iterator[Block]:
    start = 0
    try:
        for batch in _batches(file, block_rows):
            for name, kind in kinds.items():
                yield Block(name, start, kind.numbers(batch.column(name), start))
            start += batch.num_rows
    except (arrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _invalid(error) from None


def _batches(file: Any, block_rows: int) -> Iterator[Any]:
    for batch in file.iter_batches(batch_size=block_rows):
        check_deadline()
        yield batch


class _Kind:
    """A column of a file: how its values become numbers."""

    def __init__(self, arrow: Any, field: Any):
        types, kind = arrow.types, field.type
        self.name, self.texts = field.name, set[str]()
        self._missing, self._rounds = 0, False
        self._codes: dict[str, int] = {}
        self._size = kind.list_size if types.is_fixed_size_list(kind) else None
        self._shape = () if self._size is None else (self._size,)
        value = kind.value_type if self._size is not None or types.is_dictionary(kind) else kind
        self.is_text = types.is_string(value) or types.is_large_string(value)
        numeric = types.is_integer(value) or types.is_floating(value) or types.is_boolean(value)
        if self.is_text and self._size is not None or not (self.is_text or numeric):
            detail = f"column {shown(self.name)} is {kind}: expected numbers, texts, or lists of a fixed size"
            raise refuse("dataset_invalid", detail)
        self._dtype = "int64" if self.is_text else column_dtype(self.name, np.dtype(value.to_pandas_dtype()))

    def expected(self) -> Column:
        """Return the column as far as the schema tells of it: gaps and categories are not known yet."""
        return Column(self.name, self._dtype, self._shape)

    def examine(self, values: Any, held: HeldTexts) -> None:
        """Look at the next values.

        Args:
            values: the values.
            held: counts the texts of all columns.

        Raises:
            Refused: there are too many texts, or a list has gaps.
        """
        missing = values.null_count
        self._missing += missing
        if self._size is not None and (missing or values.flatten().null_count):
            raise refuse("dataset_invalid", f"column {shown(self.name)} has lists with gaps")
        if self.is_text:
            new = {text or "" for text in values.unique().to_pylist()} - self.texts
            self.texts |= new
            if max(map(len, new), default=0) > LONGEST_TEXT:
                detail = f"column {shown(self.name)} has a text of more than {LONGEST_TEXT} characters"
                raise refuse("dataset_invalid", detail)
            if problem := held.add(new, len(self.texts)):
                raise refuse("dataset_invalid", f"column {shown(self.name)} has {problem}")

    def described(self) -> Column:
        """Return the column, after all values were examined."""
        if self.is_text:
            categories = tuple(sorted(self.texts))
            self._codes = {text: code for code, text in enumerate(categories)}
            return Column(self.name, "int64", (), categories, self._missing)
        if self._missing and self._dtype == "int64":
            self._dtype, self._rounds = "float64", True
        return Column(self.name, self._dtype, self._shape, missing=self._missing)

    def numbers(self, values: Any, start: int) -> Array:
        """Return the numbers of values, which begin at a row. Raises Refused where float64 has no equal."""
        if self.is_text:
            # A dictionary may have texts that no row has: they get any code.
            codes = [self._codes.get(text or "", 0) for text in values.dictionary.to_pylist()]
            places = values.indices.fill_null(len(codes)).to_numpy(zero_copy_only=False)
            every: Array = np.array([*codes, self._codes.get("", 0)], np.int64)
            return every[np.asarray(places, np.int64)]
        if self._size is not None:
            flat = values.flatten().to_numpy(zero_copy_only=False)
            return np.asarray(flat, self._dtype).reshape(len(values), self._size)
        if self._rounds:
            self._check_exact(values, start)
        return np.asarray(values.to_numpy(zero_copy_only=False), self._dtype)

    def _check_exact(self, values: Any, start: int) -> None:
        """Refuse an integer that becomes another number beside gaps, which are NaN."""
        integers: Array = values.drop_null().to_numpy(zero_copy_only=False).astype(np.int64)
        wrong = np.flatnonzero(differs(integers, integers.astype(np.float64)))
        if wrong.size:
            rows = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False))
            number, row = integers[wrong[0]], start + rows[wrong[0]]
            detail = f"column {shown(self.name)} has gaps, so it is float64, which does not hold {number}"
            raise refuse("dataset_invalid", f"row {row}: {detail}")


def _invalid(error: Exception) -> Refused:
    return refuse("dataset_invalid", f"no Parquet file, or a damaged one: {str(error)[:200]}")
