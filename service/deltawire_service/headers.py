"""Headers of every answer: against browsers that make more of it, and whose parameters it tells of."""

from __future__ import annotations

from flask import Flask, Response, g

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
        if "params_id" in g:
            response.headers["Deltawire-Params-Id"] = g.params_id
        return response
