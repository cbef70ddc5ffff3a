"""GET /openapi.json and /docs: the API described, for programs and for people."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, send_from_directory

from deltawire_layers import Registry
from deltawire_service.api import openapi
from deltawire_service.http import bodies

PAGE = Path(__file__).parents[1] / "docs"
POLICY = "default-src 'self'; img-src 'self' data:"


def blueprint(layers: Registry) -> Blueprint:
    """The three routes, for these layers."""
    routes = Blueprint("docs", __name__)

    @cache
    def described() -> dict[str, Any]:
        return openapi.document(current_app, layers)

    @routes.get("/openapi.json")
    def openapi_json() -> Response:
        return bodies.answer(described())

    @routes.get("/docs")
    def page() -> Response:
        return file("index.html")

    @routes.get("/docs/<path:name>")
    def file(name: str) -> Response:
        response = send_from_directory(PAGE, name, conditional=False)
        response.headers["Content-Security-Policy"] = POLICY
        return response

    return routes
