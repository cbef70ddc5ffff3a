"""The context of a request: what the service notes of it, from its first byte to the last of its answer.

It is kept beside Flask, not in `g`. It begins before Flask has made anything of the request, and ends when
the answer has been sent; a small request looks it up a dozen times, which takes a fraction of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Flask, request
from werkzeug.wsgi import get_content_length

from deltawire_service.admission.api_keys import Key
from deltawire_service.http.header_cache import media_type

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

T = TypeVar("T")

Headers = list[tuple[str, str]]

JSON = "application/json"
"""As in `deltawire.wire`, which brings numpy: gunicorn imports this file before BLAS has its settings."""


class RequestContext:
    """One request, and what is known of its answer until now. Used by one thread at a time."""

    __slots__ = (
        *("environ", "started", "content_length", "media_type", "response_media_type", "view"),
        *("request_id", "requires_key", "key", "params_id", "model_version", "phase_seconds", "phase_notes"),
        *("route", "problem_code", "status", "response_bytes", "memory_bytes", "replayed"),
        *("numbers_stay", "on_end"),
    )

    def __init__(self, environ: WSGIEnvironment):
        self.started = perf_counter()
        self.environ = environ
        self.content_length = get_content_length(environ)
        """Bytes of the body, as announced; None when they are not."""
        self.request_id = ""
        self.requires_key = False
        self.key: Key | None = None
        self.media_type = media_type(environ.get("CONTENT_TYPE", ""))
        """The media type of the body."""
        self.response_media_type = JSON
        """The media type of the answer: JSON until another is negotiated."""
        self.view: Callable[..., Any] | None = None
        """The view of the route, below /v1."""
        self.params_id: str | None = None
        """The id of the published parameters that the request is answered with."""
        self.model_version: int | None = None
        """The version of the model whose parameters the request is answered with."""
        self.phase_seconds: dict[str, float] = {}
        """Seconds by phase, in the order in which the phases began."""
        self.phase_notes: dict[str, str] = {}
        """What else is said of some phases."""
        self.route: str | None = None
        """The template of the route, never the path, which is the caller's text."""
        self.problem_code: str | None = None
        self.status = 0
        self.response_bytes = 0
        """Bytes of the answer's body, as announced."""
        self.replayed = False
        """The answer is the one that the Idempotency-Key of the request got before."""
        self.numbers_stay = False
        """The arrays that it computes with are never written to, so a forward pass may be kept with them."""
        self.on_end: list[Callable[[], None]] = []
        """Called when the answer has been sent, or the client has left."""
        self.memory_bytes: int | None = None
        """Bytes of it that are in memory at once; None when that is all of it."""

    @property
    def method(self) -> str:
        """The HTTP method."""
        return str(self.environ["REQUEST_METHOD"])

    @property
    def owner(self) -> str:
        """Whoever sent the request: the name of its API key, or nothing where there are no keys."""
        return self.key.name if self.key else ""


_CURRENT: ContextVar[RequestContext] = ContextVar("request_context")

current_request = _CURRENT.get
"""Return the context of the current request. Raises LookupError outside a request."""


def with_context(handle: Callable[[RequestContext], T]) -> Callable[[], T]:
    """Return a handler for Flask's hooks, which call it with nothing, that gets the current request."""
    return lambda: handle(current_request())


ResponseHook = Callable[[RequestContext, Headers], None]
"""Called when an answer is made, of which nothing can change any more but these headers."""


def request_middleware(
    app: Flask,
    before: Iterable[Callable[[RequestContext], None]],
    on_response: Iterable[ResponseHook],
    after: Callable[[RequestContext], None],
) -> None:
    """Give every request of an application a context, those that end in an error too.

    Args:
        app: the application.
        before: called when a request has come.
        on_response: called when its answer is made.
        after: called once, when the answer has been sent or the client has left.
    """
    answer, before, on_response = app.wsgi_app, tuple(before), tuple(on_response)

    def with_request_context(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        context = RequestContext(environ)

        def start(status: str, headers: Headers, *exc_info: Any) -> Callable[[bytes], object]:
            rule = request.url_rule  # Flask has it still
            context.route = rule.rule if rule else None
            context.status = int(status[:3])
            context.response_bytes = int(dict(headers).get("Content-Length", 0))
            for hook in on_response:
                hook(context, headers)
            return start_response(status, headers, *exc_info)

        def end(calls: Iterable[Callable[[], None]]) -> None:
            try:
                for call in calls:
                    call()
            finally:
                after(context)

        token = _CURRENT.set(context)
        try:
            for hook in before:
                hook(context)
            body = answer(environ, start)
            calls, context.on_end = context.on_end, []  # a body that nobody closes takes them with it
            return TrackedBody(body, lambda: end(calls))
        except BaseException:  # the server answers in our place
            context.status = context.status or 500
            end(context.on_end)
            raise
        finally:
            _CURRENT.reset(token)

    app.wsgi_app = with_request_context  # type: ignore[method-assign]


class TrackedBody:
    """The body of an answer, which calls a function when a server has sent it or its client has left."""

    __slots__ = ("_body", "_on_end")

    def __init__(self, body: Iterable[bytes], on_end: Callable[[], None]):
        self._body = body
        self._on_end: Callable[[], None] | None = on_end

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        """End the body. A server may close it more than once; the function is called once."""
        on_end, self._on_end = self._on_end, None
        try:
            if close := getattr(self._body, "close", None):
                close()
        finally:
            if on_end:
                on_end()
