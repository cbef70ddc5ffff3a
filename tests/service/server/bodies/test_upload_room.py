"""The room for bodies in files is never claimed twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from deltawire_service.server.bodies.upload_room import UploadRoom


def test_what_does_not_fit_claims_nothing() -> None:
    room = UploadRoom(10)
    assert room.claim(7) and not room.claim(4) and room.claim(3) and not room.claim(1)
    room.release(7)
    assert not room.claim(8) and room.claim(7)


def test_threads_share_it() -> None:
    room = UploadRoom(1000)
    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(room.claim, [1] * 3000)) == 1000
