"""Headers of answers: against browsers that make more of them, and what they tell of parameters."""

from __future__ import annotations

from flask import Flask, Response, after_this_request, g

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


def tell_parameters(params_id: str) -> None:
    """Let the present answer tell whose parameters it comes from, whatever its form."""

    @after_this_request
    def add(response: Response) -> Response:
        response.headers["Deltawire-Params-Id"] = params_id
        return response

    g.params_id = params_id
