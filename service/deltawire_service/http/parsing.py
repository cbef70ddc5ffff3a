"""Parsing bodies: one large JSON body at a time.

The parser holds Python's global lock until it has ended. Several at once would end no sooner. But the thread
that shows the server that its worker lives would wait for all of them, and the worker would be replaced.
"""

from __future__ import annotations

from typing import Any

from deltawire import wire
from deltawire_service.admission.parsing_turns import ParsingTurns

LARGE_BYTES = 2**18
"""Bytes of JSON that are parsed in about a millisecond."""

LARGE = ParsingTurns(1)


def parse(body: bytes | memoryview, media_type: str, limits: wire.Limits, align: bool = True) -> Any:
    """Return the document in a body.

    Args:
        body: the whole body.
        media_type: its media type.
        limits: bounds on what it may hold.
        align: whether arrays are copied where they are not aligned.

    Raises:
        Refused: the body is not well formed, or breaks a limit.
        DeadlineExceeded: other bodies were parsed until the deadline of the request.
    """
    if media_type != wire.JSON or len(body) < LARGE_BYTES:
        return wire.decode(body, media_type, limits, align=align)
    with LARGE.take():
        return wire.decode(body, media_type, limits, align=align)
