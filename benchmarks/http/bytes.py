"""What any service would take to move the bytes: python -m benchmarks.http.bytes PORT

A server that reads requests of one size into one buffer and answers each from another, and does no more.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable

SENT, ANSWERED = 2_550_000, 2_144_000
"""Bytes of the body of b 128 and of its answer, rounded up to a thousand."""


def receive(connection: socket.socket, buffer: memoryview) -> bool:
    """Fill the buffer; false when the other side has closed the connection."""
    filled = 0
    while filled < len(buffer) and (got := connection.recv_into(buffer[filled:])):
        filled += got
    return filled == len(buffer)


def call(port: int) -> Callable[[], bool]:
    """A function that sends the bytes of a request and receives those of its answer."""
    connection = socket.create_connection(("127.0.0.1", port))
    body, buffer = bytes(SENT), memoryview(bytearray(ANSWERED))
    return lambda: connection.sendall(body) is None and receive(connection, buffer)


def serve(port: int) -> None:
    body, answer = memoryview(bytearray(SENT)), bytes(ANSWERED)
    with socket.create_server(("127.0.0.1", port)) as listening:
        while True:
            connection, _ = listening.accept()
            with connection:
                while receive(connection, body):
                    connection.sendall(answer)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
