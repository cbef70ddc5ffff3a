"""Bodies are sent in parts, with their length, and again when a call is repeated."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import numpy as np
import pytest
import requests
from support.service import running_service

from deltawire import Client, Network, wire
from deltawire.transport import HTTPTransport, Request
from deltawire.transport.http_body import JOINED_BYTES, PIECE_BYTES, Parts, read_body, sendable


@contextmanager
def answering(answer: bytes, wait: bool = False) -> Iterator[str]:
    """The address of a server that takes one connection, and closes it after its answer, or at the end."""
    over = Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer_once() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(2**16)
                connection.sendall(answer)
                if wait:
                    over.wait(10)

        thread = Thread(target=answer_once)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            over.set()
            thread.join()


def test_small_parts_are_joined_and_large_ones_sent_as_they_are() -> None:
    assert sendable([b"a", memoryview(b"bc")]) == b"abc"
    large = [b"head", memoryview(bytes(JOINED_BYTES))]
    body = sendable(large)
    assert isinstance(body, Parts) and len(body) == 4 + JOINED_BYTES
    assert b"".join(body) == b"".join(body) == b"".join(large)
    request = requests.Request("POST", "http://127.0.0.1/", data=body).prepare()
    assert request.headers["Content-Length"] == str(len(body)) and "Transfer-Encoding" not in request.headers


def test_large_parts_are_cut_without_a_copy() -> None:
    numbers = np.zeros(3 * PIECE_BYTES + 5, np.uint8)
    pieces = list(sendable([b"head", numbers.data]))
    assert [len(piece) for piece in pieces] == [4, *[PIECE_BYTES] * 3, 5]
    numbers[-1] = 7
    assert pieces[-1][-1] == 7 and b"".join(pieces)[:4] == b"head"


def test_a_slow_service_has_time_for_each_piece_and_not_for_all_of_them() -> None:
    size = 24 * PIECE_BYTES
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def read_slowly() -> None:
            connection, _ = listening.accept()
            with connection:
                got = 0
                while got < size:  # the head comes too, so that a little is left at the end
                    got += len(connection.recv(2**21))
                    time.sleep(0.05)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        thread = Thread(target=read_slowly)
        thread.start()
        transport = HTTPTransport(f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=(0.2, 0.5))
        begun = time.monotonic()
        response = transport.send(Request("POST", "/", {}, [bytes(size)], connect_seconds=0.1))
        assert response.status == 200 and time.monotonic() - begun > 0.5
        transport.close()
        thread.join()


def test_small_neighbours_travel_together() -> None:
    large = bytes(JOINED_BYTES + 1)
    parts = [b"head", b"bias", large, large, b"a", memoryview(b"b")]
    assert list(sendable(parts)) == [b"headbias", large, large, b"ab"]


def test_arrays_of_an_answer_are_where_it_was_received_and_can_be_written_to() -> None:
    net = Network()
    net.loss = net.layer("sum", net.layer("linear", net.input("x", shape=(3,)), name="h", units=2))
    params = {"h.weight": np.ones((2, 3)), "h.bias": np.zeros(2)}
    with running_service() as url, Client(url) as client:
        found = client.gradients(net, params, {"x": np.ones((4, 3))}).params
        bases = {name: array.base for name, array in found.items()}
        assert all(array.flags.writeable and array.flags.aligned for array in found.values())
        assert len({id(np.asarray(base).base) for base in bases.values()}) == 1
        found["h.weight"] += 1
        assert (
            client.gradients(net, params, {"x": np.ones((4, 3))}).params["h.weight"].tolist()
            == [[1.0] * 3] * 2
        )


@pytest.mark.parametrize(
    "headers", [b"Content-Length: 9\r\n", b"Content-Length: 4\r\nContent-Encoding: gzip\r\n", b""]
)
def test_an_answer_that_is_cut_or_of_unknown_length(headers: bytes) -> None:
    with answering(b"HTTP/1.1 200 OK\r\n" + headers + b"\r\nbody") as url:
        response = requests.get(url, stream=True, timeout=5)
        if b"9" in headers:
            with pytest.raises(requests.ConnectionError, match="4 bytes of 9"):
                read_body(response)
        elif headers:
            with pytest.raises(requests.exceptions.ContentDecodingError):
                read_body(response)
        else:
            assert bytes(read_body(response)) == b"body"
        response.close()


def test_an_answer_that_stops_is_told_from_one_that_is_cut() -> None:
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbody", wait=True) as url:
        response = requests.get(url, stream=True, timeout=0.1)
        with pytest.raises(requests.ReadTimeout):
            read_body(response)


def test_a_large_batch_gives_the_numbers_of_its_halves() -> None:
    net = Network()
    net.loss = net.layer("sum", net.layer("tanh", net.input("x", shape=(200,))))
    x = np.random.default_rng(0).standard_normal((400, 200))
    with Client() as client:
        whole = client.gradients(net, {}, {"x": x}, wrt={"data": True}, reduction="sum")
        half = client.gradients(net, {}, {"x": x[::2]}, wrt={"data": True}, reduction="sum")
    assert len(wire.encode({"data": {"x": x}}, wire.SAFETENSORS)) > JOINED_BYTES
    np.testing.assert_array_equal(whole.data["x"][::2], half.data["x"])
