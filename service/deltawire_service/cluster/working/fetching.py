"""How a worker reads numbers that lie in files of the service: from a shared folder, or by a signed link."""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import sha256
from mmap import ACCESS_READ, mmap
from pathlib import Path
from time import monotonic

import numpy as np
import requests

from deltawire.wire import Array
from deltawire_service.cluster.array_sources import FileArrays
from deltawire_service.engine import check_deadline, current_deadline

CONNECT_SECONDS = 2.0
"""How long a worker waits for the service to connect."""

FETCH_SECONDS = 10.0
"""How long a worker waits for each piece of an answer."""
PIECE_BYTES = 2**16
"""How much is read until the deadline is looked at."""

PLAIN = {"Accept-Encoding": "identity"}
"""A proxy must not compress numbers: they are read as they come."""


class FetchFailed(Exception):
    """The numbers cannot be had, or are not those that the service meant."""


def read_bytes(source: FileArrays, service: str, folder: Path | None) -> Array:
    """Return the bytes of a source, uint8.

    Args:
        source: the stretch of a file.
        service: the address of the service; empty where there is none.
        folder: the folder of the service, where this machine shares it.

    Raises:
        FetchFailed: they are neither in the folder nor behind the link, or have another digest.
        DeadlineExceeded: the deadline passed before they came.
    """
    if not source.size:
        return np.empty(0, np.uint8)
    found = _map(source, folder) if folder else None
    if found is None:
        found = _fetch(source, service)
    if sha256(found.data).hexdigest() != source.digest:
        raise FetchFailed(f"the numbers of {source.path} have another digest")
    return found


def check_headers(headers: Mapping[str, str], source: FileArrays) -> None:
    """Check that an answer has the bytes of a source as they are. Raises FetchFailed."""
    encoding, length = headers.get("Content-Encoding", "identity"), headers.get("Content-Length")
    if encoding != "identity":
        raise FetchFailed(
            f"{source.path} came with Content-Encoding {encoding}: a proxy changed it on its way"
        )
    if length != str(source.size):
        raise FetchFailed(f"{source.path} came with Content-Length {length}, expected {source.size}")


def _map(source: FileArrays, folder: Path) -> Array | None:
    """Map the stretch of a file in the shared folder, if it is there."""
    try:
        descriptor = os.open(folder / source.path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if os.fstat(descriptor).st_size < source.begin + source.size:
            return None
        return np.frombuffer(mmap(descriptor, 0, access=ACCESS_READ), np.uint8, source.size, source.begin)
    finally:
        os.close(descriptor)


def _fetch(source: FileArrays, service: str) -> Array:
    if not service:
        raise FetchFailed(
            f"{source.path} is not in the folder of this worker, and the service has no address"
        )
    found = np.empty(source.size, np.uint8)
    check_deadline()
    left = current_deadline() - monotonic()
    patience = min(CONNECT_SECONDS, left), min(FETCH_SECONDS, left)
    try:
        with requests.get(service + source.link, headers=PLAIN, stream=True, timeout=patience) as answer:
            if answer.status_code != 200:
                raise FetchFailed(f"the service answered {answer.status_code} for {source.path}")
            check_headers(answer.headers, source)
            filled = 0
            for piece in answer.iter_content(PIECE_BYTES):
                check_deadline()
                found[filled : filled + len(piece)] = np.frombuffer(piece, np.uint8)
                filled += len(piece)
    except (requests.RequestException, ValueError) as error:  # ValueError: more came than there is room for
        check_deadline()
        raise FetchFailed(f"the service cannot be reached for {source.path}: {error}") from error
    if filled < source.size:
        raise FetchFailed(f"{filled} of {source.size} bytes came of {source.path}")
    return found
