"""The answer of an application, made piece by piece as its client takes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from typing import Any

from deltawire_service.server.connections.outgoing import Outgoing
from deltawire_service.server.connections.refusals import refusal


class Answer:
    """An answer of which no more is in memory than its client takes next.

    One thread at a time uses it: the one that answers the request, later the one that makes further pieces.

    Args:
        outgoing: takes the pieces.
        cfg: gunicorn's configuration.
        log: gunicorn's.
    """

    def __init__(self, outgoing: Outgoing, cfg: Any, log: Any):
        self.keep = False
        """Whether the connection stays open behind it."""
        self.is_written = False
        """Whether there are no more pieces."""
        self._outgoing, self._cfg, self._log = outgoing, cfg, log
        self._response: Any = None
        self._pieces: Iterator[bytes] = iter(())
        self._on_written: Callable[[], None] | None = None
        self._on_end: Callable[[], None] | None = None

    def begin(self, response: Any, body: Iterable[bytes], on_written: Callable[[], None]) -> None:
        """Take what the application returned.

        Args:
            response: gunicorn's, which writes the head and counts the bytes.
            body: the pieces; its `close` is called when they have been sent, or the client has left.
            on_written: called when the last piece has been written.
        """
        self._response, self._on_written = response, on_written
        self._on_end = getattr(body, "close", None)
        self._outgoing.announced = response.response_length or 0
        self._pieces = iter(body)

    def write_next(self) -> None:
        """Make one more piece, and leave it to be sent."""
        try:
            piece = next(self._pieces, None)
            if piece is not None:
                self._response.write(piece)
                return
            self._response.close()
            self.keep = not self._response.should_close()
            self.is_written = True
            if self._on_written:
                self._on_written()
        except BaseException as error:  # SystemExit too: it would end this thread, and nothing else
            self.fail(error)

    def send(self, seconds: float) -> None:
        """Make and send pieces until the client takes no more, for so many seconds at most."""
        end = monotonic() + seconds
        while self._outgoing.flush(max(0.0, end - monotonic())):
            if self.is_written or self._outgoing.broken:
                self.end()
                return
            self.write_next()

    def fail(self, error: BaseException) -> None:
        """Give up the answer: send a refusal in its place, if nothing of it has been sent."""
        self.keep, self.is_written = False, True
        if self._outgoing.sent:  # another answer would be taken for a part of the first
            self._log.error("failed while it was answered", exc_info=error)
        else:
            self._outgoing.replace(refusal(error, self._cfg, self._log))

    @property
    def has_ended(self) -> bool:
        """True when the application has nothing to do for it any more."""
        return self._on_end is None

    def end(self) -> None:
        """Tell the application that its answer has been sent, or will not be."""
        on_end, self._on_end = self._on_end, None
        if on_end:
            on_end()
