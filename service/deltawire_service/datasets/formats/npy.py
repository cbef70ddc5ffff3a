"""Tables as files of numpy.save: one column `x`, or the fields of a structured array."""

from __future__ import annotations

from io import BytesIO
from tokenize import TokenError

import numpy as np

from deltawire.wire import Array
from deltawire_service.datasets.formats import arrays
from deltawire_service.datasets.table import CheckTable, Table, refuse

HEAD_BYTES = 2**17

READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
"""The readers of headers. Version 3 differs in the names of fields only, which are not ASCII there."""


def read(body: memoryview, check: CheckTable) -> Table:
    """Return the table in a file.

    Args:
        body: the file.
        check: checks the columns before their numbers are read.

    Raises:
        Refused: the file is not well formed, or is no table.
    """
    head = BytesIO(body[:HEAD_BYTES])
    try:
        version = np.lib.format.read_magic(head)
        if version not in READERS:
            raise ValueError(f"version {version[0]}.{version[1]} of the format is not read")
        shape, in_columns, dtype = READERS[version](head)
        if dtype.hasobject:
            raise ValueError("it holds Python objects, which are not read")
        array: Array = np.ndarray(shape, dtype, body, head.tell(), order="F" if in_columns else "C")
    except (ValueError, TypeError, SyntaxError, OverflowError, TokenError) as error:
        raise refuse("dataset_invalid", f"no file of numpy.save: {str(error)[:200]}") from None
    except (RecursionError, MemoryError):  # Python's parser raises them
        raise refuse("dataset_invalid", "no file of numpy.save: its header is nested too deep") from None
    if head.tell() + array.nbytes != len(body):
        detail = f"{len(body) - head.tell()} bytes of numbers came, shape {list(shape)} takes {array.nbytes}"
        raise refuse("dataset_invalid", detail)
    names = dtype.names
    return arrays.make_table(body, {name: array[name] for name in names} if names else {"x": array}, check)
