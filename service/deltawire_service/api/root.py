"""GET / and /models: the explorer for people. GET /explorer/…: its files.

Programs get name, version and routes of the service at /.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, request, send_from_directory

from deltawire import wire
from deltawire_service.api.operation import operation
from deltawire_service.http.security_headers import ALONE
from deltawire_service.schemas.resource_responses import RootResponse

PAGE = Path(__file__).parents[1] / "explorer"
POLICY = f"default-src 'self'; img-src 'self' data: blob:; {ALONE}"
"""The page loads everything from here, and nothing is inline: scripts set styles on elements.
`blob:` is for pictures: the SVG that an exported PNG is drawn from."""


def blueprint(app: Flask) -> Blueprint:
    """Return the three routes; app: whose routes are listed."""
    routes = Blueprint("root", __name__)

    @operation(RootResponse)
    def described() -> dict[str, Any]:
        return {
            "service": "deltawire",
            "version": version("deltawire"),
            "documentation": "/docs",
            "routes": sorted(
                f"{method} {rule.rule}"
                for rule in app.url_map.iter_rules()
                for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
            ),
        }

    @routes.get("/")
    def root() -> Response:
        """Show the explorer, or the name, version and routes of the service to clients that prefer JSON."""
        best = request.accept_mimetypes.best_match([wire.JSON, "text/html"])
        response = file("index.html") if best == "text/html" else described()
        response.headers["Vary"] = "Accept"
        return response

    @routes.get("/models")
    def models() -> Response:
        return file("models.html")

    @routes.get("/explorer/<path:name>")
    def file(name: str) -> Response:
        response = send_from_directory(PAGE, name, conditional=False)
        response.headers["Content-Security-Policy"] = POLICY
        return response

    root.operation = described.operation  # type: ignore[attr-defined]
    return routes
