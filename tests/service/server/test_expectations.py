"""Expectations: 100 (Continue) goes to clients that wait for it, once their body is to be read."""

from __future__ import annotations

from typing import Any

import pytest

from deltawire_service.server.expectations import ask_for_body, waits_for_continue


class Socket:
    """Remembers what is sent."""

    def __init__(self) -> None:
        self.sent = b""

    def sendall(self, data: bytes) -> None:
        self.sent += data


@pytest.mark.parametrize(
    "environ, waits",
    [
        ({"HTTP_EXPECT": "100-continue", "SERVER_PROTOCOL": "HTTP/1.1"}, True),
        ({"HTTP_EXPECT": "100-Continue", "SERVER_PROTOCOL": "HTTP/1.1"}, True),
        ({"HTTP_EXPECT": "100-continue", "SERVER_PROTOCOL": "HTTP/1.0"}, False),
        ({"SERVER_PROTOCOL": "HTTP/1.1"}, False),
    ],
)
def test_who_waits(environ: dict[str, Any], waits: bool) -> None:
    socket = Socket()
    assert waits_for_continue(environ) is waits
    ask_for_body(environ | {"gunicorn.socket": socket})
    assert socket.sent == (b"HTTP/1.1 100 Continue\r\n\r\n" if waits else b"")


def test_other_servers_ask_by_themselves() -> None:
    ask_for_body({"HTTP_EXPECT": "100-continue", "SERVER_PROTOCOL": "HTTP/1.1"})
