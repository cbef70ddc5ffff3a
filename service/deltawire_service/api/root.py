"""GET /: the explorer for people, name, version and routes for programs; GET /explorer/…: its files."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, request, send_from_directory

from deltawire import wire
from deltawire_service.api.operation import operation
from deltawire_service.schemas.service_responses import RootAnswer
from deltawire_service.settings import Settings

PAGE = Path(__file__).parents[1] / "explorer"
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
"""Everything from here, nothing inline: styles are set on elements by scripts, never written into markup.
Pictures may come from the page itself: `blob:` is the SVG that an exported PNG is drawn from."""


def blueprint(settings: Settings) -> Blueprint:
    """Both routes."""
    routes = Blueprint("root", __name__)

    @operation(settings, RootAnswer)
    def described() -> dict[str, Any]:
        return {
            "service": "deltawire",
            "version": version("deltawire"),
            "documentation": "/docs",
            "routes": sorted(
                f"{method} {rule.rule}"
                for rule in current_app.url_map.iter_rules()
                for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
            ),
        }

    @routes.get("/")
    def root() -> Response:
        """What this service is, and its routes; as a page, to whom prefers HTML."""
        best = request.accept_mimetypes.best_match([wire.JSON, "text/html"])
        response = file("index.html") if best == "text/html" else described()
        response.headers["Vary"] = "Accept"
        return response

    @routes.get("/explorer/<path:name>")
    def file(name: str) -> Response:
        response = send_from_directory(PAGE, name, conditional=False)
        response.headers["Content-Security-Policy"] = POLICY
        return response

    root.operation = described.operation  # type: ignore[attr-defined]
    return routes
