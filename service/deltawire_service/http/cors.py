"""Pages of other origins: those that DELTAWIRE_CORS_ORIGINS names may read answers, and no others."""

from __future__ import annotations

from flask import Flask, Response, request

PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Accept, Authorization, Content-Type, Deltawire-Deadline, "
    "Idempotency-Key, Inference-Header-Content-Length, X-Request-Id, traceparent",
    "Access-Control-Max-Age": "600",
}
READABLE = {
    "Access-Control-Expose-Headers": "Deltawire-Model-Version, Deltawire-Params-Id, ETag, "
    "Inference-Header-Content-Length, Retry-After, Server-Timing, X-Request-Id"
}


def allow_origins(app: Flask, origins: frozenset[str]) -> None:
    """Let pages of these origins (`https://example.org`) send requests and read the answers."""
    if not origins:
        return

    @app.before_request
    def preflight() -> Response | None:
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            return Response(status=204)  # before the key is looked at: browsers send preflights without it
        return None

    @app.after_request
    def permit(response: Response) -> Response:
        response.vary.add("Origin")
        origin = request.headers.get("Origin")
        if origin in origins:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers.update(PREFLIGHT if response.status_code == 204 else READABLE)
        return response
