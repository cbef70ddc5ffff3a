"""GET /: what this is, and where to go on."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from flask import Blueprint, current_app

from deltawire_service.answers import RootAnswer
from deltawire_service.api.operation import operation
from deltawire_service.settings import Settings


def blueprint(settings: Settings) -> Blueprint:
    """The route."""
    routes = Blueprint("root", __name__)

    @routes.get("/")
    @operation(settings, RootAnswer)
    def root() -> dict[str, Any]:
        """What this service is, and its routes."""
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

    return routes
