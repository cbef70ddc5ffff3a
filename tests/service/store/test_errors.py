"""Errors of the operating system become errors of the store."""

from __future__ import annotations

import errno

import pytest

from deltawire_service.store.errors import FileMissing, StoreFull, StoreUnavailable, disk_errors


@pytest.mark.parametrize(
    "number, expected",
    [
        (errno.ENOSPC, StoreFull),
        (errno.EDQUOT, StoreFull),
        (errno.EROFS, StoreUnavailable),
        (errno.EIO, StoreUnavailable),
        (errno.ENOENT, FileMissing),
    ],
)
def test_a_full_disk_is_told_from_one_that_fails(number: int, expected: type[Exception]) -> None:
    with pytest.raises(expected), disk_errors():
        raise OSError(number, "made for a test")
