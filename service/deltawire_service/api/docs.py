"""GET /openapi.json and /docs: the description of the API, for programs and for people."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, send_from_directory

from deltawire_layers import Registry
from deltawire_service.api import openapi
from deltawire_service.http import bodies
from deltawire_service.http.request_context import current_request
from deltawire_service.http.security_headers import ALONE

PAGE = Path(__file__).parents[1] / "docs"
POLICY = f"default-src 'self'; img-src 'self' data:; {ALONE}"


def blueprint(app: Flask, layers: Registry) -> Blueprint:
    """Return the three routes; app, layers: what is described."""
    routes = Blueprint("docs", __name__)

    @cache
    def document() -> dict[str, Any]:
        return openapi.document(app, layers)

    @routes.get("/openapi.json")
    def openapi_json() -> Response:
        return bodies.respond(current_request(), document())

    @routes.get("/docs")
    def page() -> Response:
        return file("index.html")

    @routes.get("/docs/<path:name>")
    def file(name: str) -> Response:
        response = send_from_directory(PAGE, name, conditional=False)
        response.headers["Content-Security-Policy"] = POLICY
        return response

    return routes
