"""Replacing files in one step: whoever reads one meanwhile has the old file or the new one, never a part."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Return the path of a draft beside a file, which takes its place when the block ends without an error.

    The draft is on the disk before it does, so that a crash of the machine leaves one file whole, too.

    Raises:
        OSError: The draft cannot be written, and the file is as it was.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield draft
        with draft.open("r+b") as written:
            os.fsync(written.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
