"""GET / and /models: the explorer for people. GET /explorer/…: its files.

Programs get name, version and routes of the service at /.
"""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, request, send_from_directory

from deltawire import wire
from deltawire_service.api.operation import operation
from deltawire_service.http.problem_titles import load_titles
from deltawire_service.http.security_headers import ALONE, alone
from deltawire_service.schemas.resource_responses import RootResponse

PAGE = Path(__file__).parents[1] / "explorer"
LOADS = "default-src 'self'; img-src 'self' data: blob:"
"""The page loads everything from here, and nothing is inline: scripts set styles on elements.
`blob:` is for pictures: the SVG that an exported PNG is drawn from."""

POLICY = f"{LOADS}; {ALONE}"

COMMENT = re.compile(r"^[ \t]*(?://.*|/\*\*(?:[^*]|\*(?!/))*\*/)$", re.MULTILINE)
"""A comment of a script that has its lines to itself."""


def blueprint(app: Flask, frame_ancestors: str) -> Blueprint:
    """Return the three routes.

    Args:
        app: whose routes are listed.
        frame_ancestors: the origins whose pages may show `/?embed` in a frame, with spaces between them.
    """
    embedded = f"{LOADS}; {alone(frame_ancestors)}" if frame_ancestors.strip() else POLICY
    routes = Blueprint("root", __name__)
    titles = {
        f"problems/{language}.json": wire.encode(of_codes, wire.JSON)
        for language, of_codes in load_titles().items()
    }

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
        if best == "text/html" and "embed" in request.args:
            response.headers["Content-Security-Policy"] = embedded
        return response

    @routes.get("/models")
    def models() -> Response:
        return file("models.html")

    @routes.get("/explorer/<path:name>")
    def file(name: str) -> Response:
        if name in titles:
            return Response(titles[name], mimetype=wire.JSON)
        response = send_from_directory(PAGE, name, conditional=False)
        response.headers["Content-Security-Policy"] = POLICY
        if name.endswith(".js") and not name.startswith("vendor/"):
            response.direct_passthrough = False
            response.set_data(without_comments(response.get_data(as_text=True)))
        return response

    root.operation = described.operation  # type: ignore[attr-defined]
    return routes


def without_comments(script: str) -> str:
    """Return a script without the comments that have lines to themselves; every line keeps its number.

    Types of JavaScript are comments, and a sixth of the scripts: a browser needs none of them.
    """
    return COMMENT.sub(lambda comment: "\n" * comment.group().count("\n"), script)
