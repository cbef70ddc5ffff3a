"""Bodies that are larger than memory should hold, in files without a name."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from mmap import ACCESS_READ, mmap
from pathlib import Path
from tempfile import TemporaryFile

from deltawire_service.faults import ServiceError


class UploadsFull(ServiceError):
    """The disk has no room for a body."""

    code = "store_full"
    detail = "the disk has no room for a body of this size; nothing was changed"


class UploadsUnavailable(ServiceError):
    """The disk fails, is read-only, or the folder is gone."""

    code = "store_unavailable"
    detail = "the disk that large bodies are received on cannot be used now; nothing was changed"


class BodyFile:
    """A body on its way into a file. The file ends with its last user, also when the process is killed.

    Args:
        folder: the folder of the file; it is made if only the last part of its path is missing.
        length: bytes of the body. They are reserved at once: later, the disk cannot be too full for them.
        free_bytes: bytes that stay free on the disk.

    Raises:
        UploadsFull, UploadsUnavailable: there is no room, or the disk fails.
    """

    def __init__(self, folder: Path, length: int, free_bytes: int = 0):
        self._length, self._filled = length, 0
        with _disk_errors():
            folder.mkdir(mode=0o700, exist_ok=True)
            disk = os.statvfs(folder)
            if disk.f_bavail * disk.f_frsize - length < free_bytes:
                raise UploadsFull
            self._file = TemporaryFile(dir=folder, buffering=0)
            try:
                os.posix_fallocate(self._file.fileno(), 0, length)
            except OSError:
                self._file.close()
                raise

    def append(self, data: memoryview) -> None:
        """Write the next bytes of the body. Raises UploadsFull, UploadsUnavailable."""
        with _disk_errors():
            while data:
                written = os.pwrite(self._file.fileno(), data, self._filled)
                self._filled += written
                data = data[written:]

    def map(self) -> memoryview:
        """Return the body as read-only memory, which has the file from now on. Raises UploadsUnavailable."""
        with _disk_errors(), self._file as file:
            return memoryview(mmap(file.fileno(), self._length, access=ACCESS_READ))

    def close(self) -> None:
        """Drop the file."""
        self._file.close()


@contextmanager
def _disk_errors() -> Iterator[None]:
    """Raise the errors of the operating system as those of uploads."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        raise (UploadsFull if full else UploadsUnavailable)() from error
