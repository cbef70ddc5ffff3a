"""Large bodies at the real gunicorn: received into files, and of nobody's memory."""

from __future__ import annotations

import hashlib
import json
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import requests
from hostile.replay import Answer, connected, receive, send, until_closed
from support.large_bodies import PATH
from support.memory import resident
from support.service import Service, children, running_service

from deltawire import wire
from deltawire_service.server.connections.limits import ConnectionLimits
from deltawire_service.server.connections.uploads import Uploads

MIB = 2**20
UNHURRIED = {"queue_seconds": "10", "app": "support.large_bodies:app()"}


@contextmanager
def running(folder: Path, *options: str, **settings: str) -> Iterator[Service]:
    with running_service("-w", "1", *options, data_dir=str(folder), **UNHURRIED | settings) as service:
        yield service


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Service]:
    """A service whose requests may take two seconds."""
    with running(folder, deadline_seconds="2") as service:
        yield service


def head(length: int, *headers: str, query: str = "") -> bytes:
    lines = [f"POST {PATH}{query} HTTP/1.1", "Host: localhost", f"Content-Type: {wire.SAFETENSORS}"]
    return "\r\n".join([*lines, f"Content-Length: {length}", *headers, "", ""]).encode()


def body(mebibytes: int, arrays: int = 4) -> list[bytes | memoryview]:
    numbers = np.random.default_rng(0).normal(size=mebibytes * MIB // 4 // arrays).astype(np.float32)
    params = {f"p{number}": numbers + np.float32(number) for number in range(arrays)}
    return wire.encode_in_parts({"params": params}, wire.SAFETENSORS)


def size(parts: list[bytes | memoryview]) -> int:
    return sum(map(len, parts))


def numbers_digest(parts: list[bytes | memoryview]) -> str:
    digest = hashlib.sha256()
    for part in parts[1:]:
        digest.update(part)
    return digest.hexdigest()


def is_taken(answer: Answer, parts: list[bytes | memoryview]) -> bool:
    return answer.status == 200 and json.loads(answer.body)["arrays"] == numbers_digest(parts)


def code(answer: Answer) -> Any:
    return json.loads(answer.body)["code"]


def free_bytes(folder: Path) -> int:
    """Bytes that files without a name take too."""
    stat = os.statvfs(folder)
    return stat.f_bfree * stat.f_frsize


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def uploads_of(worker: int) -> list[str]:
    """The files without a name that a process has open or mapped."""
    maps = Path(f"/proc/{worker}/maps").read_text().splitlines()
    links = [os.readlink(each) for each in Path(f"/proc/{worker}/fd").iterdir() if each.is_symlink()]
    return [each for each in [*maps, *links] if "/uploads/" in each]


def test_a_large_body_takes_no_memory_and_leaves_no_file(folder: Path) -> None:
    parts = body(300)
    with running(folder) as service, connected(service) as connection:
        (worker,) = children(service.pid)
        process = Path(f"/proc/{worker}")
        before, peak = resident(process, "RssAnon"), 0
        sender = Thread(target=lambda: [connection.sendall(each) for each in [head(size(parts)), *parts]])
        sender.start()
        answers = list[Answer]()
        connection.settimeout(60)
        reader = Thread(target=lambda: answers.append(receive(connection)))
        reader.start()
        while reader.is_alive():
            peak = max(peak, resident(process, "RssAnon"))
            time.sleep(0.005)
        (answer,) = answers
        assert is_taken(answer, parts) and json.loads(answer.body)["in_file"]
        assert peak < before + 64 * MIB
        assert resident(process, "RssFile") < 64 * MIB  # the pages were released as they were read
        wait_until(lambda: not uploads_of(worker))
        assert os.listdir(folder / "uploads") == []


def test_two_at_once_and_the_next_on_the_same_connection(service: Service) -> None:
    parts = body(20)
    with connected(service) as one, connected(service) as two:
        for _ in range(2):
            for connection in (one, two):
                connection.sendall(head(size(parts)))
            for part in parts:
                for start in range(0, len(part), MIB):
                    for connection in (one, two):
                        connection.sendall(part[start : start + MIB])
            assert is_taken(receive(one), parts) and is_taken(receive(two), parts)


SMALL = wire.encode_in_parts({"params": {"p": np.ones(9)}}, wire.SAFETENSORS)


@pytest.mark.parametrize("parts, in_file", [(SMALL, False), (body(2), True)])
def test_a_body_is_the_same_however_it_is_cut(
    service: Service, parts: list[bytes | memoryview], in_file: bool
) -> None:
    whole = head(size(parts)) + b"".join(map(bytes, parts))
    for cut in (1000, 2**16 + 7, MIB + 1, len(whole)):
        with connected(service) as connection:
            for start in range(0, len(whole), cut):
                connection.sendall(whole[start : start + cut])
            answer = receive(connection)
            assert is_taken(answer, parts) and json.loads(answer.body)["in_file"] == in_file


def test_who_waits_for_100_continue_gets_it(service: Service) -> None:
    parts = body(2)
    with connected(service) as connection:
        connection.sendall(head(size(parts), "Expect: 100-continue"))
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        for part in parts:
            connection.sendall(part)
        assert is_taken(receive(connection), parts)


def test_an_interrupted_upload_ends(service: Service) -> None:
    (worker,) = children(service.pid)
    for how in ("reset", "close", "half-close"):
        with connected(service) as connection:
            send(connection, head(100 * MIB) + bytes(5 * MIB))
            wait_until(lambda: uploads_of(worker) != [])
            if how == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            elif how == "half-close":
                connection.shutdown(socket.SHUT_WR)
                answer = receive(connection)
                assert (answer.status, code(answer)) == (400, "body_truncated")
        wait_until(lambda: not uploads_of(worker))
    assert children(service.pid) == {worker} and '"level": "error"' not in service.log()


def test_a_stalled_upload_is_told_so(service: Service) -> None:
    (worker,) = children(service.pid)
    for sent in (b"", bytes(3 * MIB)):
        with connected(service) as connection:
            send(connection, head(100 * MIB) + sent)
            started = time.monotonic()
            answer = receive(connection)
            assert (answer.status, code(answer)) == (408, "request_timeout")
            assert answer.headers["connection"] == "close"
            assert 0.8 < time.monotonic() - started < 4
            assert until_closed(connection) == b""
        wait_until(lambda: not uploads_of(worker))


def test_a_large_upload_must_come_faster(service: Service) -> None:
    """All of it must come within 20 deadlines, or others have no room for theirs."""
    piece = bytes(2**16)
    with connected(service) as connection:
        send(connection, head(100 * MIB))  # 2.5 MiB in each second
        started = time.monotonic()
        while not select.select([connection], [], [], 0.1)[0]:
            assert time.monotonic() - started < 6
            send(connection, piece)
        answer = receive(connection)
        assert (answer.status, code(answer)) == (408, "request_timeout")


def test_a_dropped_file_is_closed_where_files_are_written(tmp_path: Path) -> None:
    """Not in the thread of all connections, which would wait for the disk."""
    dropped = list[Any]()
    uploads = Uploads(Mock(), ConnectionLimits(), lambda *call: call[1](), dropped.append, Mock())
    connection: Any = SimpleNamespace(
        head=SimpleNamespace(bytes=bytearray(b"0")), request=SimpleNamespace(headers=[]), begin=Mock()
    )
    uploads.begin(connection, tmp_path, 10, waits=False)
    upload = connection.upload
    uploads.give_up(connection)
    upload.close()
    assert dropped == [upload.close] and connection.upload is None


def test_a_slow_but_steady_upload_may_take_longer_than_the_deadline(service: Service) -> None:
    parts = body(2)
    whole = head(size(parts)) + b"".join(map(bytes, parts))
    with connected(service) as connection:
        started = time.monotonic()
        for start in range(0, len(whole), 2**16):
            connection.sendall(whole[start : start + 2**16])
            time.sleep(0.1)
        answer = receive(connection)
        assert time.monotonic() - started > 3
        assert is_taken(answer, parts)  # the deadline counts from the end of the body


def test_what_is_in_files_at_once_is_bounded(folder: Path) -> None:
    with running(
        folder, upload_bytes=str(10 * MIB), model_body_bytes=str(10 * MIB), dataset_body_bytes="1"
    ) as service:
        with connected(service) as first, connected(service) as second:
            send(first, head(8 * MIB) + bytes(MIB))
            wait_until(lambda: bool(uploads_of(*children(service.pid))))
            send(second, head(3 * MIB, "Expect: 100-continue"))
            answer = receive(second)
            assert (answer.status, code(answer), answer.headers["retry-after"]) == (503, "overloaded", "1")
        parts = body(3)
        wait_until(lambda: not uploads_of(*children(service.pid)))
        answers = [
            requests.post(f"{service}{PATH}", b"".join(map(bytes, parts)), headers=TYPE) for _ in "12345"
        ]
        assert [answer.status_code for answer in answers] == [200] * 5
        too_large = requests.post(f"{service}{PATH}", bytes(10 * MIB + 1), headers=TYPE)
        assert (too_large.status_code, too_large.json()["code"]) == (413, "body_too_large")


TYPE = {"Content-Type": wire.SAFETENSORS}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 MB. Needs the rights to mount."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", str(disk)], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_is_told_before_the_body_is_received(small_disk: Path) -> None:
    with running(small_disk, free_bytes=str(4 * MIB)) as service:
        free = free_bytes(small_disk)
        for mebibytes in (13, 17):  # more than may be used, and more than there is
            with connected(service) as connection:
                send(connection, head(mebibytes * MIB, "Expect: 100-continue"))
                answer = receive(connection)
                assert (answer.status, code(answer)) == (507, "store_full")
        assert free_bytes(small_disk) >= free - MIB  # nothing half done is left
        parts = body(10)
        for _ in range(3):  # each frees the room of the one before
            answered = requests.post(f"{service}{PATH}", b"".join(map(bytes, parts)), headers=TYPE)
            assert answered.json()["arrays"] == numbers_digest(parts)


def test_a_folder_that_is_gone_is_told_and_comes_back(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    whole = b"".join(map(bytes, body(2)))
    with running(data) as service:
        data.rename(tmp_path / "away")
        refused = requests.post(f"{service}{PATH}", whole, headers=TYPE)
        assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
        (tmp_path / "away").rename(data)
        assert requests.post(f"{service}{PATH}", whole, headers=TYPE).status_code == 200


def test_a_stopping_service_waits_for_no_upload(folder: Path) -> None:
    parts = body(2)
    with running(folder) as service, ExitStack() as opened:
        complete, half = (opened.enter_context(connected(service)) for _ in range(2))
        send(half, head(100 * MIB) + bytes(5 * MIB))
        send(complete, head(size(parts), query="?seconds=1") + b"".join(map(bytes, parts)))
        wait_until(lambda: len(uploads_of(*children(service.pid))) >= 2)
        os.kill(service.pid, signal.SIGTERM)
        started = time.monotonic()
        assert is_taken(receive(complete), parts)
        answer = receive(half)
        assert (answer.status, code(answer), answer.headers["retry-after"]) == (503, "not_ready", "1")
        assert service.wait(timeout=20) == 0
        assert time.monotonic() - started < 8


def test_a_killed_worker_leaves_no_file(folder: Path) -> None:
    with running(folder) as service, connected(service) as connection:
        (worker,) = children(service.pid)
        send(connection, head(100 * MIB) + bytes(5 * MIB))
        wait_until(lambda: uploads_of(worker) != [])
        assert os.listdir(folder / "uploads") == []  # it has no name from the beginning
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: children(service.pid) not in (set(), {worker}))


def test_health_is_answered_while_much_comes_in(folder: Path) -> None:
    """Four bodies of 200 MB at once."""
    piece = bytes(MIB)

    def post(url: str) -> None:
        with connected(url) as connection:
            connection.sendall(head(200 * MIB))
            for _ in range(200):
                connection.sendall(piece)
            connection.settimeout(60)
            assert receive(connection).status == 400  # zeros are no tensors: it was read to its end

    with running(folder) as service:
        senders = [Thread(target=post, args=[service]) for _ in range(4)]
        for sender in senders:
            sender.start()
        slowest = 0.0
        while any(sender.is_alive() for sender in senders):
            started = time.monotonic()
            assert requests.get(f"{service}/livez", timeout=10).status_code == 200
            slowest = max(slowest, time.monotonic() - started)
            time.sleep(0.01)
        assert slowest < 2
