"""What cannot be written is counted and dropped; nothing waits for it, and nothing ends."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
import requests
from support.posting import good
from support.service import command, environment, free_port

from deltawire_service.server.standard_streams import DroppingStream

LINE = "x" * 99 + "\n"


@contextmanager
def unread_pipe() -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    try:
        yield read, write
    finally:
        os.close(write)
        os.close(read)


def drained(read: int) -> bytes:
    os.set_blocking(read, False)
    got = b""
    try:
        while piece := os.read(read, 2**16):
            got += piece
    except BlockingIOError:
        pass
    return got


def test_a_full_pipe_delays_nothing_and_its_lines_are_whole() -> None:
    with unread_pipe() as (read, write):
        stream = DroppingStream(write)
        started = time.monotonic()
        for _ in range(2000):
            print(LINE, end="", file=stream)
        assert time.monotonic() - started < 1
        kept = drained(read)
        stream.write("after\n")
        kept += drained(read)
        lines = kept.decode().splitlines(keepends=True)
        assert set(lines[:-1]) == {LINE} and lines[-1] == "after\n"
        assert stream.dropped == 2000 - (len(lines) - 1) > 1000
        assert os.get_blocking(write), "others who share the pipe still wait for it"


def test_a_line_longer_than_a_pipe_is_written_to_its_end_before_the_next() -> None:
    with unread_pipe() as (read, write):
        stream = DroppingStream(write)
        long = "y" * 100_000 + "\n"
        stream.write(long)
        assert stream.write(LINE) and stream.dropped == 1
        kept = drained(read)
        stream.write(LINE)
        assert kept + drained(read) == (long + LINE).encode()


def test_a_closed_pipe_and_a_full_disk_are_counted() -> None:
    read, write = os.pipe()
    os.close(read)
    stream = DroppingStream(write)
    stream.write("one\n")
    stream.write("two\nthree\n")
    assert stream.dropped == 3
    os.close(write)
    with open("/dev/full", "w") as full:
        stream = DroppingStream(full.fileno())
        stream.write("one\n")
        assert stream.dropped == 1 and not stream.isatty() and stream.writable()


def test_a_socket_that_nobody_reads() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        stream = DroppingStream(ours.fileno())
        for _ in range(20_000):
            stream.write(LINE)
        assert stream.dropped > 1000


def test_what_has_no_utf8_is_written_as_escapes(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        DroppingStream(file.fileno()).write("\udc80é\n")
    assert (tmp_path / "log").read_text() == "\\udc80é\n"


def closed() -> None:
    for descriptor in range(3):
        os.close(descriptor)


def full() -> None:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    for place in (1, 2):
        os.dup2(descriptor, place)


def hung_up() -> None:
    read, write = os.pipe()
    os.close(read)
    os.dup2(write, 1)
    os.dup2(write, 2)


def unread() -> None:
    """The end to read stays open in the service itself."""
    read, write = os.pipe()
    os.set_inheritable(read, True)
    for place in (1, 2):
        os.dup2(write, place)


@pytest.mark.parametrize("streams, drops", [(closed, False), (full, True), (hung_up, True), (unread, True)])
def test_the_service_serves_with_any_streams(streams: Callable[[], None], drops: bool) -> None:
    port = free_port()
    service = subprocess.Popen(
        command(port, "-w", "1"), env=environment(queue_seconds="10"), preexec_fn=streams, close_fds=False
    )
    url = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + 20
        while True:
            try:
                assert requests.get(f"{url}/readyz", timeout=5).ok
                break
            except requests.ConnectionError:
                assert service.poll() is None and time.monotonic() < end
                time.sleep(0.05)
        with requests.Session() as session:
            for _ in range(400):  # some 70 KB of lines: more than a pipe holds
                assert session.post(f"{url}/v1/gradients", json=good(), timeout=5).status_code == 200
            lines = session.get(f"{url}/metrics", timeout=5).text.splitlines()
        (dropped,) = (
            float(line.split()[1]) for line in lines if line.startswith("deltawire_log_lines_dropped_total ")
        )
        assert (dropped > 0) == drops
    finally:
        service.terminate()
        assert service.wait(timeout=20) == 0


def test_serve_starts_where_its_words_cannot_be_printed() -> None:
    """The command prints before it becomes gunicorn."""
    port = free_port()
    serve = [sys.executable, "-c", "from deltawire_service.cli import main; main()", "serve"]
    with open("/dev/full", "w") as nowhere:
        service = subprocess.Popen(
            [*serve, "--port", str(port), "--workers", "1"], stdout=nowhere, stderr=nowhere
        )
    try:
        end = time.monotonic() + 20
        while True:
            try:
                assert requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).ok
                break
            except requests.ConnectionError:
                assert service.poll() is None and time.monotonic() < end
                time.sleep(0.05)
    finally:
        service.terminate()
        service.wait(timeout=20)


def test_threads_share_it() -> None:
    with unread_pipe() as (read, write):
        stream = DroppingStream(write)
        threads = [Thread(target=lambda: [stream.write(LINE) for _ in range(100)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert drained(read).decode() == 400 * LINE
