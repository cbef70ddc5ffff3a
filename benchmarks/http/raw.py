"""The least a client can do: requests made beforehand, a socket kept open, answers read into one buffer."""

from __future__ import annotations

import socket
from collections.abc import Callable

BUFFER_BYTES = 2**26


class NotNow(Exception):
    """The service has too much to compute: 503."""


def raw_call(
    port: int, path: str, body: bytes, media_type: str, accept: str | None = None
) -> Callable[[], memoryview]:
    """A function that sends the request and gives the body of the answer: of a 200, else NotNow is raised."""
    connection = connected(port)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {media_type}\r\n"
        f"Accept: {accept or media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    buffer = memoryview(bytearray(BUFFER_BYTES))

    def receive(filled: int) -> int:
        got = connection.recv_into(buffer[filled:])
        if not got:
            raise SystemExit(f"{path} closed the connection")
        return filled + got

    def call() -> memoryview:
        nonlocal connection
        connection.sendall(head)
        connection.sendall(body)
        filled = receive(0)
        while b"\r\n\r\n" not in bytes(buffer[: min(filled, 4096)]):
            filled = receive(filled)
        fields = bytes(buffer[: min(filled, 4096)]).partition(b"\r\n\r\n")[0]
        length = next(line for line in fields.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        start, size = len(fields) + 4, int(length.partition(b":")[2])
        while filled < start + size:
            filled = receive(filled)
        if b"\r\nconnection: close" in fields.lower():  # it was refused before its body was read
            connection.close()
            connection = connected(port)
        if b" 503 " in fields[:16]:
            raise NotNow
        if b" 200 " not in fields[:16]:
            raise SystemExit(bytes(buffer[:filled]).decode(errors="replace")[:1000])
        return buffer[start : start + size]

    return call


def connected(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection
