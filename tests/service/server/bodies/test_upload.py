"""An upload is received in pieces of bounded memory, and whole in the end."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import pytest

from deltawire_service.server.bodies.upload import PIECE_BYTES, Upload
from deltawire_service.store.errors import StoreUnavailable

BODY = np.random.default_rng(0).bytes(3 * PIECE_BYTES + 5)


@pytest.mark.parametrize("begins", [0, 1, 2**16])
def test_it_writes_a_piece_when_it_is_full(begins: int, tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        upload = Upload(tmp_path, len(BODY), bytearray(BODY[:begins]))
        upload.open()
        written = 0
        for start in range(begins, len(BODY), 50_000):
            theirs.sendall(BODY[start : start + 50_000])
            left = len(BODY[start : start + 50_000])
            while left:
                left -= upload.receive(ours)
                if upload.has_piece:
                    assert upload.body is None
                    upload.write()
                    written += 1
        assert (written, upload.failure, upload.memory_bytes) == (4, None, PIECE_BYTES)
        assert upload.body == BODY


def test_it_takes_nothing_of_the_next_request(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        upload = Upload(tmp_path, 10, bytearray(b"0123"))
        upload.open()
        theirs.sendall(b"456789GET / HTTP/1.1")
        assert upload.receive(ours) == 6
        upload.write()
        assert upload.body == b"0123456789" and ours.recv(100) == b"GET / HTTP/1.1"


def test_it_keeps_the_failure_of_the_disk(tmp_path: Path) -> None:
    upload = Upload(tmp_path / "gone" / "uploads", 10, bytearray())
    upload.open()
    assert isinstance(upload.failure, StoreUnavailable)
    upload.close()
