"""A request on its way to its answer, and what the service notes of it.

It is kept beside Flask, not in `g`: it begins before Flask has made anything of the request, ends when the
answer has been sent, and is found in a fraction of the time, which small requests spend dozens of times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from math import inf
from time import perf_counter
from typing import TYPE_CHECKING, Any

from flask import Flask, request
from werkzeug.wsgi import get_content_length

from deltawire_service.admission.api_keys import Key

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment
Headers = list[tuple[str, str]]


class RequestContext:
    """One request, and what is known of its answer until now. Used by one thread at a time."""

    __slots__ = (
        *("environ", "began", "length", "request_id", "until", "key", "answered_as", "params_id"),
        *("phases", "route", "code", "status", "sent"),
    )

    def __init__(self, environ: WSGIEnvironment):
        self.began = perf_counter()
        self.environ = environ
        self.length = get_content_length(environ)
        """Of its body, as announced; None where it is not."""
        self.request_id = ""
        self.until = inf
        """When it ends (time.monotonic)."""
        self.key: Key | None = None
        self.answered_as: str | None = None
        """The media type of the answer, once it is settled."""
        self.params_id: str | None = None
        """Of the published parameters it is answered with."""
        self.phases: dict[str, float] = {}
        """Seconds by phase, as they were begun."""
        self.route: str | None = None
        """The template of its route, never the path, which is the caller's text."""
        self.code: str | None = None
        """That of the problem it is answered with."""
        self.status = 0
        self.sent = 0
        """Bytes of the answer's body, as announced."""

    @property
    def method(self) -> str:
        return str(self.environ["REQUEST_METHOD"])


_CURRENT: ContextVar[RequestContext] = ContextVar("request_context")

current = _CURRENT.get
"""The exchange that is going on. Raises LookupError where there is none."""

Answering = Callable[[RequestContext, Headers], None]
"""Is called when the answer is made, in which nothing but these headers can be added to."""


def request_middleware(
    app: Flask,
    beginning: Iterable[Callable[[RequestContext], None]],
    answering: Iterable[Answering],
    ended: Callable[[RequestContext], None],
) -> None:
    """Tell of every exchange, errors among them, as it begins, is answered, and has ended."""
    answer, beginning, answering = app.wsgi_app, tuple(beginning), tuple(answering)

    def followed(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        context = RequestContext(environ)

        def start(status: str, headers: Headers, *exc_info: Any) -> Callable[[bytes], object]:
            rule = request.url_rule  # Flask has it still
            context.route = rule.rule if rule else None
            context.status = int(status[:3])
            context.sent = int(dict(headers).get("Content-Length", 0))
            for tell in answering:
                tell(context, headers)
            return start_response(status, headers, *exc_info)

        token = _CURRENT.set(context)
        try:
            for tell in beginning:
                tell(context)
            return Sent(answer(environ, start), lambda: ended(context))
        except BaseException:  # the server answers in our place
            context.status = context.status or 500
            ended(context)
            raise
        finally:
            _CURRENT.reset(token)

    app.wsgi_app = followed  # type: ignore[method-assign]


class Sent:
    """A body as a server sends it, and who is told when it has, or when its client has left."""

    __slots__ = ("_body", "_ended")

    def __init__(self, body: Iterable[bytes], ended: Callable[[], None]):
        self._body = body
        self._ended: Callable[[], None] | None = ended

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        ended, self._ended = self._ended, None
        try:
            if close := getattr(self._body, "close", None):
                close()
        finally:
            if ended:  # once, however often a server closes it
                ended()
