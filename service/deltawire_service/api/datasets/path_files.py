"""Files of the service's machine that are named by their path: each is read once, and copied."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from deltawire.errors import Fault, Refused
from deltawire_plugins.shown import shown
from deltawire_service.admission.compute_queue import Overloaded
from deltawire_service.datasets.allowed_paths import open_allowed
from deltawire_service.datasets.formats.media_types import SUFFIXES
from deltawire_service.engine import check_deadline
from deltawire_service.http.bodies import too_large
from deltawire_service.server.bodies.body_file import BodyFile
from deltawire_service.server.bodies.upload_room import UploadRoom
from deltawire_service.settings import Settings

PIECE_BYTES = 2**20


class CopiedFile(NamedTuple):
    """The copy of a file.

    Attributes:
        media_type: that of its table, by the end of its name.
        body: its bytes.
    """

    media_type: str
    body: memoryview


@contextmanager
def copied_file(path: str, settings: Settings, room: UploadRoom) -> Iterator[CopiedFile]:
    """Copy a file of the service's machine: whoever changes it later changes nothing here.

    Args:
        path: its path.
        settings: the settings of the service.
        room: the room for bodies in files, which the copy takes part of until it is left.

    Raises:
        PathNotAllowed: it is not below one of DELTAWIRE_DATASET_ROOTS.
        Refused: the file cannot be read, or its name has another end.
        Overloaded: other bodies in files take too much room.
        StoreFull, StoreUnavailable: the disk has no room for the copy, or fails.
        DeadlineExceeded: it takes longer than the request may.
    """
    media_type = SUFFIXES.get(Path(path).suffix.lower())
    if media_type is None:
        detail = f"expected a path that ends in {', '.join(SUFFIXES)}, got {shown(path)}"
        raise Refused([Fault("/path", "field_invalid", detail)])
    roots = [Path(root) for root in settings.dataset_roots.split(":") if root]
    with open_allowed(path, roots) as descriptor:
        length = os.fstat(descriptor).st_size
        if length > settings.dataset_body_bytes:
            raise too_large(length, settings, "dataset_body_bytes")
        if not length:
            raise Refused([Fault("/path", "dataset_invalid", "the file is empty")])
        if not room.claim(length):
            raise Overloaded(1, "upload_bytes")
        try:
            yield CopiedFile(media_type, _copy(descriptor, length, settings))
        finally:
            room.release(length)


def _copy(descriptor: int, length: int, settings: Settings) -> memoryview:
    assert settings.uploads_dir is not None
    file, left = BodyFile(settings.uploads_dir, length, settings.free_bytes), length
    try:
        while left:
            check_deadline()
            piece = _read(descriptor, min(left, PIECE_BYTES))
            file.append(memoryview(piece))
            left -= len(piece)
        return file.map()
    finally:
        file.close()


def _read(descriptor: int, size: int) -> bytes:
    try:
        piece = os.read(descriptor, size)
    except OSError as error:
        raise Refused([Fault("/path", "field_invalid", f"it cannot be read: {error.strerror}")]) from None
    if not piece:
        raise Refused([Fault("/path", "field_invalid", "it was cut while it was read")])
    return piece
