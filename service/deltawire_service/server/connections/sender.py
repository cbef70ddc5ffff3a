"""Sending answers to clients that read slowly, and cutting off those that hardly read."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable
from time import monotonic

from deltawire_service.server.connections.connection import Connection, Stage
from deltawire_service.server.connections.limits import (
    LINGER_BYTES,
    LINGER_SECONDS,
    STOPPING_READER_SECONDS,
    ConnectionLimits,
)
from deltawire_service.server.connections.readers import reads_fast_enough

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE

THROWN_AWAY_AT_ONCE = 2**16
"""Bytes read at a time of what nobody wants."""


class Sender:
    """Sends the rest of answers as their clients read.

    Args:
        selector: watches the sockets.
        limits: how fast clients must read.
        make_next: calls a function in another thread, which waits for the disk if need be, and afterwards
            another one with the connection in this thread.
        release: takes calls to make in a thread that answers.
        go_on: goes on with a connection that stays open after its answer.
        close: closes a connection.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        limits: ConnectionLimits,
        make_next: Callable[[Connection, Callable[[], None], Callable[[Connection], None]], None],
        release: Callable[[Callable[[], None]], None],
        go_on: Callable[[Connection], None],
        close: Callable[[Connection], None],
    ):
        self._selector, self._limits = selector, limits
        self._make_next, self._release = make_next, release
        self._go_on, self._close = go_on, close
        self._reading_seconds = limits.deadline_seconds / 2

    def stop(self) -> float:
        """Give readers less time from now on, and return its seconds."""
        self._reading_seconds = min(self._reading_seconds, STOPPING_READER_SECONDS)
        return self._reading_seconds

    def release_here(self) -> None:
        """Call the application in this thread from now on: the others end with the process."""
        self._release = lambda call: call()

    def begin(self, connection: Connection) -> None:
        """Begin to send what the thread that answered has left."""
        connection.taken = None
        connection.begin(Stage.SENDING, self._reading_seconds)

    def send(self, connection: Connection) -> None:
        """Send what the socket takes; then make the next piece, or go on with the connection."""
        outgoing, answer = connection.outgoing, connection.answer
        if not outgoing.flush():
            connection.watch(self._selector, WRITE)
            return
        if answer and not answer.is_written and not outgoing.broken:
            self._make_next(connection, answer.write_next, self.send)
            return
        self.end(connection)
        if outgoing.broken:
            self._close(connection)
        elif answer and answer.keep:
            outgoing.sent = 0
            self._go_on(connection)
        else:
            # Closing at once, with bytes of the client unread, would reset the connection: the answer would
            # be lost (RFC 9112, 9.6).
            connection.sock.shutdown(socket.SHUT_WR)
            connection.filled = 0
            connection.begin(Stage.CLOSING, LINGER_SECONDS)
            connection.watch(self._selector, READ)

    def end(self, connection: Connection) -> None:
        """Tell the application that its answer has been sent, or that the client has left."""
        answer, connection.answer = connection.answer, None
        if answer and not answer.has_ended:
            self._release(answer.end)

    def check_reader(self, connection: Connection) -> None:
        """Cut off a client that reads too slowly, at the deadline or later.

        The first half of the time only fills the system's buffers; in the second, and in each as long after
        it, the client must read. A client that waits for the disk has nothing to read.
        """
        if connection.busy:
            self.begin(connection)
            return
        self.send(connection)  # the selector waits until a third of the buffer is free
        if connection.stage is not Stage.SENDING:
            return
        if connection.taken is not None and not reads_fast_enough(connection, self._limits, monotonic()):
            connection.reset_on_close()
            self._close(connection)
            return
        connection.taken = connection.outgoing.sent
        connection.begin(Stage.SENDING, self._reading_seconds)

    def drain(self, connection: Connection) -> None:
        """Throw away what a client sends while it takes its last answer."""
        try:
            count = len(connection.sock.recv(THROWN_AWAY_AT_ONCE))
        except BlockingIOError:
            return
        connection.filled += count
        if not count or connection.filled > LINGER_BYTES:
            self._close(connection)
