"""Headers of answers: against browsers that make more of them, and what they tell of parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, after_this_request, g

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # Pages bring a policy of their own; whatever else a browser is made to show loads and runs nothing.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def guard_answers(app: Flask) -> None:
    """Give every answer these headers, unless its route has set them."""
    answer = app.wsgi_app

    def guarded(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Callable[[bytes], object]:
            given = {name for name, _ in headers}
            headers += [header for header in HEADERS.items() if header[0] not in given]
            return start_response(status, headers, *exc_info)

        return answer(environ, start)

    app.wsgi_app = guarded  # type: ignore[method-assign]


def tell_parameters(params_id: str) -> None:
    """Let the present answer tell whose parameters it comes from, whatever its form."""

    @after_this_request
    def add(response: Response) -> Response:
        response.headers["Deltawire-Params-Id"] = params_id
        return response

    g.params_id = params_id
