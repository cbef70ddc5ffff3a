"""Files of the service's machine that a dataset may be made of: those below the folders that are allowed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deltawire.errors import Fault, Refused
from deltawire_plugins.shown import shown
from deltawire_service.faults import ServiceError


class PathNotAllowed(ServiceError):
    """The path leads to no folder that is allowed."""

    code, pointer = "path_not_allowed", "/path"


@contextmanager
def open_allowed(path: str, roots: Sequence[Path]) -> Iterator[int]:
    """Open a file to read it, and give its descriptor.

    A symbolic link is followed as long as it stays below a root. The answer does not tell what else is there.

    Args:
        path: its path, from the root of the file system.
        roots: the folders that are allowed.

    Raises:
        PathNotAllowed: the path leads out of all of them.
        Refused: there is no such file, or it cannot be read.
    """
    if not roots:
        raise PathNotAllowed("this service reads no files of its machine: DELTAWIRE_DATASET_ROOTS is not set")
    if "\0" in path or not os.path.isabs(path):
        raise _unreadable(path, "expected a path from the root, such as /data/table.csv")
    resolved = Path(os.path.realpath(path))
    root = next((real for real in map(_resolved, roots) if resolved.is_relative_to(real)), None)
    if root is None:
        raise PathNotAllowed(f"{shown(path)} leads out of the folders that this service reads")
    try:
        descriptor = _open_below(root, resolved.relative_to(root).parts)
    except OSError as error:
        raise _unreadable(path, error.strerror or "it cannot be opened") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _unreadable(path, "it is no file")
        yield descriptor
    finally:
        os.close(descriptor)


def _resolved(root: Path) -> Path:
    return Path(os.path.realpath(root))


def _open_below(root: Path, parts: Sequence[str]) -> int:
    """Open a file step by step: no folder may have become a link since the path was resolved."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(root, flags | os.O_DIRECTORY)
    for place, part in enumerate(parts, 1):
        # Not blocking: a pipe would wait for a writer.
        kind = os.O_NONBLOCK if place == len(parts) else os.O_DIRECTORY
        try:
            inner = os.open(part, flags | kind, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = inner
    return descriptor


def _unreadable(path: str, reason: str) -> Refused:
    return Refused([Fault("/path", "field_invalid", f"{shown(path)} is not read: {reason}")])
