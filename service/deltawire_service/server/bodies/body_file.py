"""Bodies that are larger than memory should hold, in files without a name."""

from __future__ import annotations

import os
from mmap import ACCESS_READ, mmap
from pathlib import Path
from tempfile import TemporaryFile

from deltawire_service.store.errors import StoreFull, disk_errors


class BodyFile:
    """A body on its way into a file. The file ends with its last user, also when the process is killed.

    Args:
        folder: the folder of the file; it is made if only the last part of its path is missing.
        length: bytes of the body. They are reserved at once: later, the disk cannot be too full for them.
        free_bytes: bytes that stay free on the disk.

    Raises:
        StoreFull, StoreUnavailable: there is no room, or the disk fails.
    """

    def __init__(self, folder: Path, length: int, free_bytes: int = 0):
        self._length, self._filled = length, 0
        with disk_errors():
            folder.mkdir(mode=0o700, exist_ok=True)
            disk = os.statvfs(folder)
            if disk.f_bavail * disk.f_frsize - length < free_bytes:
                raise StoreFull
            self._file = TemporaryFile(dir=folder, buffering=0)
            try:
                os.posix_fallocate(self._file.fileno(), 0, length)
            except OSError:
                self._file.close()
                raise

    def append(self, data: memoryview) -> None:
        """Write the next bytes of the body. Raises StoreFull, StoreUnavailable."""
        with disk_errors():
            while data:
                written = os.pwrite(self._file.fileno(), data, self._filled)
                self._filled += written
                data = data[written:]

    def map(self) -> memoryview:
        """Return the body as read-only memory, which has the file from now on. Raises StoreUnavailable."""
        with disk_errors(), self._file as file:
            return memoryview(mmap(file.fileno(), self._length, access=ACCESS_READ))

    def close(self) -> None:
        """Drop the file."""
        self._file.close()
