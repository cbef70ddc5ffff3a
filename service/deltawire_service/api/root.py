"""Serve the root, as the explorer or as the list of routes, and the explorer's files."""

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
"""Load everything from this service and nothing inline: scripts set styles on elements, never in markup.

`blob:` is the SVG from which the page draws an exported PNG.
"""


def blueprint(settings: Settings) -> Blueprint:
    """Return the routes `/` and `/explorer/<path>`."""
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
        """Return the name, version and routes of the service, or the explorer to clients that prefer HTML."""
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
