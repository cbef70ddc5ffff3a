"""One thread that accepts connections, receives whole requests, and sends what their clients read slowly.

Threads that answer do not wait for clients: they get a request when all of it has come, send what the socket
takes within a moment, and leave the rest to this one. A connection that is silent, stalled or slow costs a
descriptor and some memory, and no thread.
"""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable, Sequence
from functools import partial
from time import monotonic
from typing import Any

from werkzeug.exceptions import RequestTimeout, ServiceUnavailable

from deltawire_service.server.bodies.received_body import ReceivedBody
from deltawire_service.server.connections.acceptor import Acceptor
from deltawire_service.server.connections.answer import Answer
from deltawire_service.server.connections.connection import Connection, ReceivedRequest, Stage
from deltawire_service.server.connections.limits import STOPPING_SECONDS, ConnectionLimits
from deltawire_service.server.connections.outgoing import Outgoing
from deltawire_service.server.connections.request_head import RequestHead, body_length
from deltawire_service.server.connections.room import least_claim, oldest_coming
from deltawire_service.server.connections.sender import Sender
from deltawire_service.server.connections.uploads import Uploads
from deltawire_service.server.connections.wakeups import Wakeups

READ = selectors.EVENT_READ

TICK = 0.25
"""Seconds between two looks at whose time is over."""

RECEIVED_AT_ONCE = 2**16
"""Bytes read at a time while no length is known."""


class ConnectionLoop:
    """The connections of one worker process.

    Args:
        cfg: gunicorn's configuration.
        limits: how much, and for how long, connections may send and read.
        answer: takes each request; `answered` must be called for it, in this thread.
        release: takes calls to make in another thread: this one runs no code of the application.
        make_pieces: takes calls to make in a thread that may wait for the disk, to read.
        write_files: takes calls to make in a thread that may wait for the disk, to write.
        wake_pipe: both ends of a pipe that does not block.
        log: of gunicorn.
    """

    def __init__(
        self,
        cfg: Any,
        limits: ConnectionLimits,
        answer: Callable[[ReceivedRequest], None],
        release: Callable[[Callable[[], None]], None],
        make_pieces: Callable[[Callable[[], None]], None],
        write_files: Callable[[Callable[[], None]], None],
        wake_pipe: tuple[int, int],
        log: Any,
    ):
        self._cfg, self._limits, self._log, self._answer = cfg, limits, log, answer
        self._selector = selectors.DefaultSelector()
        self._wakeups = Wakeups(*wake_pipe)
        self.call_soon = self._wakeups.call_soon
        self._selector.register(wake_pipe[0], READ, self._wakeups.drain)
        self._acceptor: Acceptor | None = None
        self._connections: set[Connection] = set()
        self._held = 0
        self._patience = limits.deadline_seconds
        self._idle_seconds = cfg.keepalive
        self._next_tick = 0.0
        make_next = partial(self._elsewhere, make_pieces)
        self._sender = Sender(self._selector, limits, make_next, release, self._go_on, self._close)
        write = partial(self._elsewhere, write_files)
        self._uploads = Uploads(self._selector, limits, write, write_files, self._complete_upload)
        self._handlers: dict[Stage, Callable[[Connection], None]] = {
            Stage.IDLE: self._receive_head,
            Stage.HEAD: self._receive_head,
            Stage.BODY: self._receive_body,
            Stage.UPLOAD: self._uploads.receive,
            Stage.ANSWERING: self._pause,
            Stage.SENDING: self._sender.send,
            Stage.CLOSING: self._sender.drain,
            Stage.CLOSED: self._close,  # earlier in the same turn
        }

    def listen(self, listeners: Sequence[socket.socket]) -> None:
        """Accept connections from these sockets."""
        self._acceptor = Acceptor(self._selector, listeners, self._accepted, self._make_room, self._log)
        self._acceptor.resume()

    def turn(self) -> bool:
        """Handle what has happened, or wait for it for a moment. Return whether such a moment has passed."""
        ready = self._selector.select(TICK)
        self._wakeups.make_calls()  # first: who has an answer may have sent the next request already
        for key, events in ready:
            key.data(events)
        now = monotonic()
        if now < self._next_tick:
            return False
        self._next_tick = now + TICK
        for connection in [each for each in self._connections if each.until <= now]:
            self._guard(self._end_stage, connection)
        if self._acceptor:
            self._acceptor.resume()
        return True

    def stop(self) -> None:
        """Accept no more connections, and give clients only a moment from now on."""
        if self._acceptor:
            self._acceptor.close()
            self._acceptor = None
        self._patience = min(self._patience, STOPPING_SECONDS)
        self._idle_seconds = min(self._idle_seconds, STOPPING_SECONDS)
        reading_seconds = self._sender.stop()
        self._uploads.stop()
        for connection in self._connections:
            seconds = reading_seconds if connection.stage is Stage.SENDING else self._patience
            connection.until = min(connection.until, monotonic() + seconds)

    def close(self) -> None:
        """Close the connections that are left: the process ends."""
        self._sender.release_here()
        for connection in list(self._connections):
            self._close(connection)

    def is_empty(self) -> bool:
        """Return whether no connection is left."""
        return not self._connections

    def _accepted(self, sock: socket.socket, peer: Any, server: Any) -> bool:
        room = len(self._connections) < self._limits.connections or self._make_room()
        connection = Connection(sock, peer, server, RequestHead(self._cfg, peer), Outgoing(sock))
        connection.ready = partial(self._ready, connection)
        self._connections.add(connection)
        connection.begin(Stage.IDLE, self._patience)
        self._guard(partial(Connection.watch, selector=self._selector, events=READ), connection)
        return room

    def _make_room(self) -> bool:
        """Close the connection with the least claim to go on. Return whether there was one."""
        closed = least_claim(self._connections, monotonic())
        if closed:
            self._close(closed)
        return closed is not None

    def _ready(self, connection: Connection, events: int) -> None:
        """The socket can be read, or written while an answer waits."""
        if not connection.busy:  # as it is since another event of this turn
            self._guard(self._handlers[connection.stage], connection)

    def _guard(self, action: Callable[[Connection], None], connection: Connection) -> None:
        """Do something with a connection; whatever fails ends this one alone."""
        try:
            action(connection)
        except OSError:  # the client has gone
            self._close(connection)
        except Exception:
            self._log.exception("a connection is closed")
            self._close(connection)

    def _end_stage(self, connection: Connection) -> None:
        """End what has taken too long."""
        if connection.stage in (Stage.HEAD, Stage.BODY):
            self._give_up(connection, RequestTimeout())
        elif connection.stage is Stage.UPLOAD:
            self._uploads.check_sender(connection)
        elif connection.stage in (Stage.IDLE, Stage.CLOSING):
            self._close(connection)
        elif connection.stage is Stage.SENDING:
            self._sender.check_reader(connection)

    def _close(self, connection: Connection) -> None:
        if connection.stage is Stage.CLOSED:
            return
        connection.watch(self._selector, 0)
        connection.stage, connection.body = Stage.CLOSED, None
        connection.ready = None  # which has the connection: workers collect such circles seldom
        connection.sock.close()
        self._connections.discard(connection)
        self._hold(connection, 0)
        if not connection.busy:
            self._let_go(connection)

    def _let_go(self, connection: Connection) -> None:
        """Drop what a connection that is closed, and that no thread works for, still has."""
        self._sender.end(connection)
        self._uploads.end(connection)

    # Receiving

    def _receive_head(self, connection: Connection) -> None:
        try:
            data = connection.sock.recv(RECEIVED_AT_ONCE)
        except BlockingIOError:
            return
        if not data:
            self._close(connection)
            return
        self._hold(connection, connection.held + len(data))
        if connection.stage is Stage.IDLE or connection.stage is Stage.HEAD:  # not given up for its size
            self._next_request(connection, data)

    def _next_request(self, connection: Connection, data: bytes) -> None:
        """Go on with a head: the bytes are the newest of it."""
        if connection.stage is Stage.IDLE:
            connection.begin(Stage.HEAD, self._patience)
        try:
            connection.request = request = connection.head.next(data)
        except Exception as error:
            self._refuse(connection, error)
            return
        if request is None:
            connection.watch(self._selector, READ)
            return
        length, behind = body_length(request), connection.head.bytes
        if len(behind) < length:
            self._begin_body(connection, length)
            return
        body = bytes(behind[:length])
        del behind[:length]
        self._complete(connection, ReceivedBody(body))

    def _begin_body(self, connection: Connection, length: int) -> None:
        import numpy as np  # only now: its BLAS reads its threads from variables that gunicorn sets first

        request, behind = connection.request, connection.head.bytes
        assert request is not None
        headers = dict(request.headers)
        waits = "EXPECT" in headers and request.version >= (1, 1)  # for 100: other expectations are refused
        if waits or length > RECEIVED_AT_ONCE:  # to receive less costs less than to judge it
            if failure := self._limits.refuse_body(request.method, request.path, headers, length):
                self._complete(connection, ReceivedBody(failure=failure), whole=False)
                return
            if folder := self._limits.upload_folder(request.method, request.path, headers, length):
                self._uploads.begin(connection, folder, length, waits)
                if connection.upload:
                    self._hold(connection, connection.upload.memory_bytes)
                return
        if waits:
            connection.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.body = np.empty(length, np.uint8).data  # not filled with zeros
        connection.filled = len(behind)
        connection.body[: len(behind)] = behind
        behind.clear()
        connection.stage = Stage.BODY
        connection.until = connection.since + min(self._patience, self._limits.deadline(headers))
        connection.watch(self._selector, READ)
        self._receive_body(connection)  # more of it has come meanwhile

    def _receive_body(self, connection: Connection) -> None:
        body = connection.body
        assert body is not None
        try:
            count = connection.sock.recv_into(body[connection.filled :])
        except BlockingIOError:
            return
        connection.filled += count
        if complete := not count or connection.filled == len(body):
            connection.stage = Stage.ANSWERING  # before it is counted: it makes no room for itself
        self._hold(connection, connection.held + count)
        if complete:
            received = body[: connection.filled].toreadonly()
            self._complete(connection, ReceivedBody(received), whole=bool(count))

    def _complete(self, connection: Connection, body: ReceivedBody, whole: bool = True) -> None:
        """Have a request answered."""
        connection.stage, connection.body = Stage.ANSWERING, None
        assert connection.request is not None
        self._answer(ReceivedRequest(connection, connection.request, body, connection.since, whole))

    def _complete_upload(self, connection: Connection, body: ReceivedBody, whole: bool) -> None:
        self._complete(connection, body, whole)
        self._hold(connection, 0)  # it is in a file

    def _hold(self, connection: Connection, held: int) -> None:
        """Count the bytes of a request; above the limit, give up the one that has been coming for longest."""
        grows = held > connection.held
        self._held += held - connection.held
        connection.held = held
        if grows and self._held > self._limits.received_bytes:
            if oldest := oldest_coming(self._connections, RECEIVED_AT_ONCE):
                self._give_up(oldest, ServiceUnavailable(retry_after=1))

    def _give_up(self, connection: Connection, error: Exception) -> None:
        """Answer a request whose rest is not waited for."""
        if connection.stage is Stage.UPLOAD:
            self._uploads.give_up(connection, error)
        elif connection.stage is Stage.BODY:
            self._complete(connection, ReceivedBody(failure=error), whole=False)
            self._hold(connection, 0)
        else:
            self._refuse(connection, error)

    def _refuse(self, connection: Connection, error: Exception) -> None:
        answer = Answer(connection.outgoing, self._cfg, self._log)
        answer.fail(error)
        self.answered(connection, answer)

    # Sending

    def answered(self, connection: Connection, answer: Answer) -> None:
        """Send what is left of an answer, then go on with the connection."""
        connection.request, connection.answer = None, answer
        self._hold(connection, len(connection.head.bytes))
        self._uploads.end(connection)
        self._sender.begin(connection)
        self._guard(self._sender.send, connection)

    def _go_on(self, connection: Connection) -> None:
        """Wait for the next request, which may have come already."""
        connection.begin(Stage.IDLE, self._idle_seconds)
        if connection.head.bytes:
            self._next_request(connection, b"")
        else:
            connection.watch(self._selector, READ)

    def _elsewhere(
        self,
        submit: Callable[[Callable[[], None]], None],
        connection: Connection,
        action: Callable[[], None],
        then: Callable[[Connection], None],
    ) -> None:
        """Have another thread do what may take long, and go on with the connection when it is done."""
        connection.busy = True
        connection.watch(self._selector, 0)

        def run() -> None:
            try:
                action()
            finally:
                self.call_soon(partial(self._resume, connection, then))

        submit(run)

    def _resume(self, connection: Connection, then: Callable[[Connection], None]) -> None:
        connection.busy = False
        if connection.stage is Stage.CLOSED:
            self._let_go(connection)
        else:
            self._guard(then, connection)

    def _pause(self, connection: Connection) -> None:
        """The next request, or the end, comes while one is answered: it is read afterwards."""
        connection.watch(self._selector, 0)
