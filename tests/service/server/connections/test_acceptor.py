"""What cannot be accepted neither wakes the worker again and again nor ends it."""

from __future__ import annotations

import errno
import logging
import selectors
import socket
from typing import Any

import pytest

from deltawire_service.server.connections.acceptor import Acceptor


class Listener(socket.socket):
    """A listening socket whose accept fails as told."""

    error: int | None = None

    def accept(self) -> tuple[socket.socket, Any]:
        if self.error:
            raise OSError(self.error, "told")
        return super().accept()


class Accepting:
    """An acceptor with one listener, and what became of connections."""

    def __init__(self) -> None:
        self.room, self.spare = True, 0
        self.accepted: list[socket.socket] = []
        self.listener = Listener()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.selector = selectors.DefaultSelector()
        log = logging.getLogger("acceptor")
        self.acceptor = Acceptor(self.selector, [self.listener], self._take, self._make_room, log)
        self.acceptor.resume()

    def _take(self, sock: socket.socket, peer: Any, server: Any) -> bool:
        self.accepted.append(sock)
        return self.room

    def _make_room(self) -> bool:
        self.spare -= 1
        return self.spare >= 0

    def turn(self) -> int:
        """Handle what is there; how many sockets were."""
        events = self.selector.select(0.2)
        for key, mask in events:
            key.data(mask)
        return len(events)


@pytest.fixture
def accepting() -> Any:
    accepting = Accepting()
    with socket.create_connection(accepting.listener.getsockname()):
        yield accepting
    for sock in accepting.accepted:
        sock.close()
    accepting.acceptor.close()
    accepting.selector.close()


@pytest.mark.parametrize("error", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EPERM])
def test_without_descriptors_idle_connections_go_first_then_it_pauses(accepting: Any, error: int) -> None:
    accepting.listener.error, accepting.spare = error, 2
    assert [accepting.turn() for _ in range(4)] == [1, 1, 1, 0]
    accepting.listener.error = None
    accepting.acceptor.resume()
    assert accepting.turn() == 1 and len(accepting.accepted) == 1


def test_it_warns_once(accepting: Any, caplog: pytest.LogCaptureFixture) -> None:
    accepting.listener.error = errno.EMFILE
    for _ in range(3):
        accepting.turn()
        accepting.acceptor.resume()
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.parametrize("error", [errno.EAGAIN, errno.ECONNABORTED])
def test_what_says_nothing_of_the_next_connection_is_passed_over(accepting: Any, error: int) -> None:
    accepting.listener.error = error
    assert [accepting.turn() for _ in range(3)] == [1, 1, 1]
    accepting.listener.error = None
    assert accepting.turn() == 1 and not accepting.accepted[0].getblocking()


def test_without_room_it_pauses_until_it_is_resumed(accepting: Any) -> None:
    accepting.room = False
    with socket.create_connection(accepting.listener.getsockname()):
        assert [accepting.turn() for _ in range(2)] == [1, 0]
        accepting.acceptor.resume()
        assert accepting.turn() == 1
