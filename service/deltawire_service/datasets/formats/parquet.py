"""Tables as Parquet, with the extra `parquet`: numbers, truth values, texts, and lists of a fixed size."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from deltawire.errors import Refused
from deltawire.wire import Array
from deltawire_plugins.shown import shown
from deltawire_service.datasets.formats.arrays import column_dtype
from deltawire_service.datasets.formats.cells import LONGEST_TEXT, MOST_CATEGORIES, MOST_TEXTS
from deltawire_service.datasets.table import MOST_COLUMNS, Block, Column, Table, check_table, refuse
from deltawire_service.engine import check_deadline
from deltawire_service.faults import ServiceError

BLOCK_ROWS = 2**14


class ParquetMissing(ServiceError):
    """Parquet is read with pyarrow, which is not installed here."""

    code = "format_not_installed"
    detail = (
        "Parquet is read with pyarrow, which this service does not have: pip install 'deltawire[parquet]'"
    )


def read(body: memoryview) -> Table:
    """Return the table in a file.

    Numbers with gaps become float64 with NaN. Texts become the codes of categories; a gap is the category "".

    Raises:
        ParquetMissing: pyarrow is not installed.
        Refused: the file is not well formed, or has columns that are no numbers or texts.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise ParquetMissing from None
    try:
        return _read(pyarrow, parquet, body)
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _invalid(error) from None


def _read(arrow: Any, parquet: Any, body: memoryview) -> Table:
    schema = parquet.read_schema(arrow.BufferReader(body))
    if len(schema) > MOST_COLUMNS:
        raise refuse("dataset_invalid", f"{len(schema)} columns, at most {MOST_COLUMNS} are allowed")
    kinds = {field.name: _Kind(arrow, field) for field in schema}
    texts = [name for name, kind in kinds.items() if kind.is_text]
    # Texts stay indices into a dictionary: a page of few bytes may stand for many long ones.
    file = parquet.ParquetFile(arrow.BufferReader(body), read_dictionary=texts)
    rows = file.metadata.num_rows
    check_table([Column(field.name, "int64") for field in schema], rows)
    for batch in _batches(file):
        for name, kind in kinds.items():
            kind.examine(batch.column(name))
        if sum(len(kind.texts) for kind in kinds.values()) > MOST_TEXTS:
            raise refuse("dataset_invalid", f"more than {MOST_TEXTS} different texts in all columns")
    columns = tuple(kind.described() for kind in kinds.values())
    check_table(columns, rows)
    return Table(columns, rows, partial(_blocks, arrow, file, kinds))


def _blocks(arrow: Any, file: Any, kinds: dict[str, _Kind]) -> Iterator[Block]:
    start = 0
    try:
        for batch in _batches(file):
            for name, kind in kinds.items():
                yield Block(name, start, kind.numbers(batch.column(name)))
            start += batch.num_rows
    except (arrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _invalid(error) from None


def _batches(file: Any) -> Iterator[Any]:
    for batch in file.iter_batches(batch_size=BLOCK_ROWS):
        check_deadline()
        yield batch


class _Kind:
    """A column of a file: how its values become numbers."""

    def __init__(self, arrow: Any, field: Any):
        types, kind = arrow.types, field.type
        self.name, self.texts = field.name, set[str]()
        self._missing = 0
        self._codes: dict[str, int] = {}
        self._size = kind.list_size if types.is_fixed_size_list(kind) else None
        value = kind.value_type if self._size is not None or types.is_dictionary(kind) else kind
        self.is_text = types.is_string(value) or types.is_large_string(value)
        numeric = types.is_integer(value) or types.is_floating(value) or types.is_boolean(value)
        if self.is_text and self._size is not None or not (self.is_text or numeric):
            detail = f"column {shown(self.name)} is {kind}: expected numbers, texts, or lists of a fixed size"
            raise refuse("dataset_invalid", detail)
        self._dtype = "int64" if self.is_text else column_dtype(self.name, np.dtype(value.to_pandas_dtype()))

    def examine(self, values: Any) -> None:
        """Look at the next values. Raises Refused where there are too many texts, or a list has gaps."""
        missing = values.null_count
        self._missing += missing
        if self._size is not None and (missing or values.flatten().null_count):
            raise refuse("dataset_invalid", f"column {shown(self.name)} has lists with gaps")
        if self.is_text:
            self.texts.update(text or "" for text in values.unique().to_pylist())
            if len(self.texts) > MOST_CATEGORIES or max(map(len, self.texts), default=0) > LONGEST_TEXT:
                most = f"at most {MOST_CATEGORIES}, of {LONGEST_TEXT} characters"
                detail = f"column {shown(self.name)} has too many different texts, or too long ones: {most}"
                raise refuse("dataset_invalid", detail)

    def described(self) -> Column:
        """Return the column, after all values were examined."""
        shape = () if self._size is None else (self._size,)
        if self.is_text:
            categories = tuple(sorted(self.texts))
            self._codes = {text: code for code, text in enumerate(categories)}
            return Column(self.name, "int64", shape, categories, self._missing)
        if self._missing and self._dtype == "int64":
            self._dtype = "float64"
        return Column(self.name, self._dtype, shape, missing=self._missing)

    def numbers(self, values: Any) -> Array:
        """Return the numbers of values."""
        if self.is_text:
            # A dictionary may have texts that no row has: they get any code.
            codes = [self._codes.get(text or "", 0) for text in values.dictionary.to_pylist()]
            places = values.indices.fill_null(len(codes)).to_numpy(zero_copy_only=False)
            every: Array = np.array([*codes, self._codes.get("", 0)], np.int64)
            return every[np.asarray(places, np.int64)]
        if self._size is not None:
            flat = values.flatten().to_numpy(zero_copy_only=False)
            return np.asarray(flat, self._dtype).reshape(len(values), self._size)
        return np.asarray(values.to_numpy(zero_copy_only=False), self._dtype)


def _invalid(error: Exception) -> Refused:
    return refuse("dataset_invalid", f"no Parquet file, or a damaged one: {str(error)[:200]}")
