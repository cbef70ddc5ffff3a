"""GET /v1/limits: every limit in force, what tensors may be, and versions."""

from __future__ import annotations

import platform
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import numpy as np
from flask import Blueprint

from deltawire import wire
from deltawire_service.answers import LimitsAnswer
from deltawire_service.api.operation import operation
from deltawire_service.settings import Settings


def blueprint(settings: Settings) -> Blueprint:
    """The route, for these settings."""
    routes = Blueprint("limits", __name__)
    answer = {
        "limits": {name: limit for name, limit in asdict(settings).items() if type(limit) in (int, float)},
        "dtypes": list(wire.DTYPES),
        "media_types": list(wire.MEDIA_TYPES),
        "versions": {
            "deltawire": version("deltawire"),
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }

    @routes.get("/limits")
    @operation(settings, LimitsAnswer)
    def limits() -> dict[str, Any]:
        """Every limit in force, dtypes, media types and versions."""
        return answer

    return routes
