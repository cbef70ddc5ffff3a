"""Receiving large bodies into files, by a thread that may wait for the disk."""

from __future__ import annotations

import selectors
from collections.abc import Callable
from pathlib import Path
from time import monotonic

from werkzeug.exceptions import RequestTimeout, ServiceUnavailable

from deltawire_service.server.bodies.received_body import ReceivedBody, Stopping
from deltawire_service.server.bodies.upload import Upload
from deltawire_service.server.connections.connection import Connection, Stage
from deltawire_service.server.connections.limits import STOPPING_SECONDS, ConnectionLimits
from deltawire_service.server.connections.readers import MOST_DEADLINES


class Uploads:
    """The uploads of a worker process.

    Args:
        selector: watches the sockets.
        limits: how many bytes are received at once, and how fast clients must send.
        write: calls a function in a thread that may wait for the disk, and afterwards another one with the
            connection in this thread.
        drop: calls a function in such a thread: to free the blocks of a large file takes long.
        complete: has a request answered, with its body, and whether all of it came.
    """

    def __init__(
        self,
        selector: selectors.BaseSelector,
        limits: ConnectionLimits,
        write: Callable[[Connection, Callable[[], None], Callable[[Connection], None]], None],
        drop: Callable[[Callable[[], None]], None],
        complete: Callable[[Connection, ReceivedBody, bool], None],
    ):
        self._selector, self._limits = selector, limits
        self._write, self._drop, self._complete = write, drop, complete
        self._stops = False

    def stop(self) -> None:
        """Wait for no more uploads."""
        self._stops = True

    def begin(self, connection: Connection, folder: Path, length: int, waits: bool) -> None:
        """Receive a body into a file, for which room is reserved first.

        Args:
            connection: the connection; its request's head has come.
            folder: the folder of the file.
            length: bytes of the body.
            waits: whether the client sends the rest only when it is told to.
        """
        if self._stops or not self._limits.upload_room.claim(length):
            failure = (Stopping if self._stops else ServiceUnavailable)(retry_after=1)
            self._complete(connection, ReceivedBody(failure=failure), False)
            return
        connection.upload_bytes = length
        begins = connection.head.bytes
        connection.upload = upload = Upload(folder, length, begins, self._limits.free_bytes)
        begins.clear()
        self._begin_look(connection)

        def opened(connection: Connection) -> None:
            if waits and not upload.failure:
                connection.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._go_on(connection)

        self._write(connection, upload.open, opened)

    def receive(self, connection: Connection) -> None:
        """Receive what has come."""
        upload = connection.upload
        assert upload is not None
        try:
            count = upload.receive(connection.sock)
        except BlockingIOError:
            return
        if not count:
            self.give_up(connection)
        elif upload.has_piece:
            self._write(connection, upload.write, self._go_on)

    def check_sender(self, connection: Connection) -> None:
        """Give up an upload that comes too slowly. A client that waits for the disk cannot send."""
        upload = connection.upload
        assert upload is not None
        if connection.busy:
            self._begin_look(connection)
        elif self._stops:
            self.give_up(connection, Stopping(retry_after=1))
        elif upload.received - (connection.taken or 0) < self._least_bytes(connection):
            self.give_up(connection, RequestTimeout())
        else:
            self._begin_look(connection)

    def end(self, connection: Connection) -> None:
        """Count an upload no longer: its request has been answered, or its client has left."""
        self._limits.upload_room.release(connection.upload_bytes)
        connection.upload_bytes = 0
        if connection.upload:
            self._drop(connection.upload.close)
            connection.upload = None

    def give_up(self, connection: Connection, failure: Exception | None = None) -> None:
        """Have a request answered without its body, which no thread works on now.

        Args:
            connection: the connection.
            failure: the reason; None when the client sends no more.
        """
        self.end(connection)
        self._complete(connection, ReceivedBody(failure=failure), False)

    def _go_on(self, connection: Connection) -> None:
        """Receive more, after a piece has been written; or have the request answered."""
        upload = connection.upload
        assert upload is not None
        if upload.failure:
            self.give_up(connection, upload.failure)
        elif upload.body is not None:
            connection.upload = None
            connection.since = monotonic()  # its deadline counts from here: it may have come for longer
            self._complete(connection, ReceivedBody(upload.body), True)
        else:
            connection.watch(self._selector, selectors.EVENT_READ)

    def _begin_look(self, connection: Connection) -> None:
        """Begin the time in which the client must send enough."""
        assert connection.request is not None and connection.upload is not None
        connection.taken = connection.upload.received
        deadline = self._limits.deadline(dict(connection.request.headers))
        connection.begin(Stage.UPLOAD, STOPPING_SECONDS if self._stops else deadline / 2)

    def _least_bytes(self, connection: Connection) -> float:
        """Return how much must have come since the last look: also so much that all comes in the end."""
        assert connection.upload is not None
        in_time = connection.upload.length / (MOST_DEADLINES * self._limits.deadline_seconds)
        return max(self._limits.client_bytes_per_second, in_time) * (monotonic() - connection.since)
