"""Files of networks, copied into memory: no change of a file reaches the requests that use its numbers.

A file mapped into memory would be shared with whoever writes to it: truncating it would end every process
that reads it by SIGBUS. The copy is made before the workers are forked, so they share its pages, too.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from deltawire.errors import Fault, Refused


class FileVersion(NamedTuple):
    """The state of a file: another one is there, or something was written, when any of these differs."""

    device: int
    inode: int
    size: int
    """In bytes."""
    modified: int
    """In nanoseconds; so is `changed`, which no program can set."""
    changed: int

    @classmethod
    def from_stat(cls, stat: os.stat_result) -> FileVersion:
        """Return the version that a stat shows."""
        return cls(stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


class FileCopy(NamedTuple):
    """The bytes of a file, and the version that they are of."""

    body: bytes
    version: FileVersion


def read_file(path: Path) -> FileCopy:
    """Copy a file into memory.

    Raises:
        Refused: it is no file, or it changes while it is read.
        OSError: it cannot be read.
    """
    if not path.is_file():  # opening a pipe would wait until something is written into it
        raise _invalid("this is no file")
    with path.open("rb", buffering=0) as file:
        version = FileVersion.from_stat(os.fstat(file.fileno()))
        body = file.readall()
        if len(body) != version.size or FileVersion.from_stat(os.fstat(file.fileno())) != version:
            raise _invalid("the file changed while it was read; write a new one beside it and rename it")
    return FileCopy(body, version)


def _invalid(detail: str) -> Refused:
    return Refused([Fault("", "tensor_body_invalid", detail)])
