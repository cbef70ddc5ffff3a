"""Headers that keep a browser from making more of an answer than it is."""

from __future__ import annotations

from flask import Flask, Response

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # Pages bring a policy of their own; whatever else a browser is made to show loads and runs nothing.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def guard_answers(app: Flask) -> None:
    """Give every answer these headers, unless its route has set them."""

    @app.after_request
    def add(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        return response
