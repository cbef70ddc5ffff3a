"""One connection: where it stands, and what it holds."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from selectors import BaseSelector
from time import monotonic
from typing import Any, NamedTuple

from gunicorn.http.message import Request

from deltawire_service.server.bodies.received_body import ReceivedBody
from deltawire_service.server.bodies.upload import Upload
from deltawire_service.server.connections.answer import Answer
from deltawire_service.server.connections.outgoing import Outgoing
from deltawire_service.server.connections.request_head import RequestHead


class Stage(Enum):
    """A stage of a connection."""

    CLOSING = 0
    """Its last answer has been sent; it may still read it."""
    IDLE = 1
    """Nothing of a request has come."""
    HEAD = 2
    BODY = 3
    UPLOAD = 4
    """Its body is received into a file."""
    ANSWERING = 5
    """Its request is complete, and with the application."""
    SENDING = 6
    """The rest of its answer waits until it reads."""
    CLOSED = 7


@dataclass(eq=False, slots=True)
class Connection:
    """A client's connection. Nobody but the connection loop changes it."""

    sock: socket.socket
    peer: Any
    """The client's address, as the socket has it."""
    server: Any
    """The address that the client connected to."""
    head: RequestHead
    outgoing: Outgoing
    stage: Stage = Stage.IDLE
    since: float = 0.0
    """When its request, or else its present stage, began (time.monotonic)."""
    until: float = 0.0
    """When its present stage is over."""
    events: int = 0
    """What the selector watches it for."""
    ready: Callable[[int], None] | None = None
    """What the loop calls when the socket can be read or written."""
    request: Request | None = None
    body: memoryview | None = None
    """Where its body is received."""
    upload: Upload | None = None
    """The file that its body is received into."""
    upload_bytes: int = 0
    """Bytes reserved on the disk for its request."""
    filled: int = 0
    """Bytes of the body that have come; while it closes, bytes thrown away."""
    held: int = 0
    """Bytes in memory for its request."""
    taken: int | None = None
    """Bytes that had left, or had come of an upload, at the last look; None before the first."""
    answer: Answer | None = None
    """Its answer, until all of it has been sent or the client has left."""
    busy: bool = False
    """Whether another thread works for it, in which time nobody else touches its upload or its answer."""

    def begin(self, stage: Stage, seconds: float) -> None:
        """Enter a stage that is over after so many seconds."""
        self.stage, self.since = stage, monotonic()
        self.until = self.since + seconds

    def reset_on_close(self) -> None:
        """Let closing also drop what the system has buffered and the client does not read."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def watch(self, selector: BaseSelector, events: int) -> None:
        """Have the selector watch the socket for these events, or for none."""
        if events == self.events:
            return
        if not events:
            selector.unregister(self.sock)
        elif self.events:
            selector.modify(self.sock, events, self.ready)
        else:
            selector.register(self.sock, events, self.ready)
        self.events = events


class ReceivedRequest(NamedTuple):
    """A request for a thread that answers."""

    connection: Connection
    request: Request
    body: ReceivedBody
    began: float
    """When its first byte came (time.monotonic)."""
    whole: bool
    """Whether its body was received to the end."""
