"""GET /livez and /readyz: health checks, of the process and of its readiness for requests."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from deltawire.errors import Fault, Refused
from deltawire_service.api.operation import operation
from deltawire_service.http.problem_codes import HEALTH
from deltawire_service.schemas.resource_responses import HealthResponse
from deltawire_service.server.readiness import Readiness


def blueprint(readiness: Readiness) -> Blueprint:
    """Return both routes."""
    routes = Blueprint("health", __name__)

    @routes.get("/livez")
    @operation(HealthResponse)
    def live() -> dict[str, Any]:
        """Answer while the process runs."""
        return {"status": "live"}

    @routes.get("/readyz")
    @operation(HealthResponse, HEALTH)
    def ready() -> dict[str, Any]:
        """Answer while requests are taken."""
        if reason := readiness.reason():
            raise Refused([Fault("", "not_ready", reason)])
        return {"status": "ready"}  # layers are loaded before the first request is taken

    return routes
