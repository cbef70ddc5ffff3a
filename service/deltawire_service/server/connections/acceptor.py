"""Listening sockets, and what to do when no connection can be accepted."""

from __future__ import annotations

import errno
import selectors
import socket
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic
from typing import Any

PASSING = (errno.EAGAIN, errno.EINTR, errno.ECONNABORTED)
"""Errors of accept(2) that say nothing about the next connection."""

WARN_EVERY = 60.0
"""Seconds between two warnings that nothing can be accepted."""


class Acceptor:
    """Accepts connections while there is room.

    Args:
        selector: watches the listening sockets.
        listeners: the sockets; every worker process has them.
        accepted: takes a new connection: its socket, the client's address, and the one it connected to.
            Returns whether there is room for more.
        make_room: closes a connection that can be spared. Returns whether there was one.
        log: of gunicorn.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        listeners: Sequence[socket.socket],
        accepted: Callable[[socket.socket, Any, Any], bool],
        make_room: Callable[[], bool],
        log: Any,
    ):
        self._selector, self._listeners = selector, list(listeners)
        self._accepted, self._make_room, self._log = accepted, make_room, log
        self._accepting = False
        self._warned = float("-inf")
        for listener in self._listeners:
            listener.setblocking(False)

    def resume(self) -> None:
        """Accept connections again."""
        if not self._accepting:
            for listener in self._listeners:
                self._selector.register(listener, selectors.EVENT_READ, partial(self._accept, listener))
            self._accepting = True

    def pause(self) -> None:
        """Leave connections in the system's queue: watched, they would wake the worker again and again."""
        if self._accepting:
            for listener in self._listeners:
                self._selector.unregister(listener)
            self._accepting = False

    def close(self) -> None:
        """Accept nothing more."""
        self.pause()
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()

    def _accept(self, listener: socket.socket, events: int) -> None:
        """Accept one connection, and leave the next to whichever worker is free."""
        try:
            sock, peer = listener.accept()
        except OSError as error:
            if error.errno not in PASSING and not self._make_room():
                self._warn(error)
                self.pause()
            return
        sock.setblocking(False)
        if not self._accepted(sock, peer, listener.getsockname()):
            self.pause()

    def _warn(self, error: OSError) -> None:
        if monotonic() - self._warned > WARN_EVERY:
            self._warned = monotonic()
            self._log.warning("no connection can be accepted for a moment: %s", error.strerror)
