"""GET /livez and /readyz: whether the process runs, and whether it takes requests."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from deltawire.errors import Fault, Refused
from deltawire_service.api.operation import operation
from deltawire_service.http.problem_codes import HEALTH
from deltawire_service.schemas.service_responses import HealthAnswer
from deltawire_service.server.readiness import Readiness
from deltawire_service.settings import Settings


def blueprint(settings: Settings, readiness: Readiness) -> Blueprint:
    """Both routes."""
    routes = Blueprint("health", __name__)

    @routes.get("/livez")
    @operation(settings, HealthAnswer)
    def live() -> dict[str, Any]:
        """Whether the process runs."""
        return {"status": "live"}

    @routes.get("/readyz")
    @operation(settings, HealthAnswer, codes=HEALTH)
    def ready() -> dict[str, Any]:
        """Whether requests are taken."""
        if reason := readiness.reason():
            raise Refused([Fault("", "not_ready", reason)])
        return {"status": "ready"}  # layers are loaded before the first request is taken

    return routes
