"""How much, and for how long, a worker receives and sends."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deltawire_service.server.bodies.upload_room import UploadRoom
from deltawire_service.settings import SHORTEST_DEADLINE

SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?\Z", re.ASCII)
"""What the header `Deltawire-Deadline` may have."""

LINGER_SECONDS = 1.0
"""Seconds a client has to take its last answer before its connection is closed."""

LINGER_BYTES = 2**26
"""Bytes thrown away meanwhile, at most: by then the client has sent its body, and reads."""

STOPPING_SECONDS = 2.0
"""How long a stopping worker waits for a client to send what is on its way."""

STOPPING_READER_SECONDS = 5.0
"""How long it waits between two looks at how fast a client reads: buffers empty in steps of megabytes."""


def requested_seconds(text: str) -> float | None:
    """Return the seconds that a header `Deltawire-Deadline` has; None for any other text, or too few."""
    seconds = float(text) if SECONDS.match(text) else 0.0
    return seconds if seconds >= SHORTEST_DEADLINE else None


@dataclass(frozen=True)
class ConnectionLimits:
    """The limits of one worker process on its connections."""

    connections: int = 1000
    """Connections at once."""
    deadline_seconds: float = 30.0
    """Seconds a request may take to come, and a slow reader to take its answer."""
    received_bytes: int = 2**28
    """Bytes of requests in memory, until they are answered."""
    client_bytes_per_second: float = 2**15
    """How fast a client must read its answer, or send an upload, to get more time than a request may take."""
    upload_room: UploadRoom = field(default_factory=lambda: UploadRoom(2**33))
    """The room for bodies in files, until their requests are answered."""
    free_bytes: int = 0
    """Bytes that stay free on the disk of these files."""
    refuse_body: Callable[[str, str, Mapping[str, str], int], Exception | None] = lambda *head: None
    """Returns why a body is not received, for its method, path, headers and length; None when it is."""
    upload_folder: Callable[[str, str, Mapping[str, str], int], Path | None] = lambda *head: None
    """Returns the folder in which a body is received as a file; None for one that is received in memory."""

    def deadline(self, headers: Mapping[str, str]) -> float:
        """Return the seconds that a request with these headers may take."""
        requested = requested_seconds(headers.get("DELTAWIRE-DEADLINE", ""))
        return self.deadline_seconds if requested is None else min(self.deadline_seconds, requested)
