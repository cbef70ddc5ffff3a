"""POST /v1/init: first parameters of a network, drawn from a seed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint

from deltawire_service.api.operation import COMPILING, operation
from deltawire_service.networks.cache import NetworkCache
from deltawire_service.observability.server_timing import Phase
from deltawire_service.schemas.requests import InitSchema
from deltawire_service.schemas.responses import InitAnswer
from deltawire_service.settings import Settings


def blueprint(settings: Settings, networks: NetworkCache) -> Blueprint:
    """The route, on these networks."""
    routes = Blueprint("init", __name__)

    @routes.post("/init")
    @operation(settings, InitAnswer, InitSchema, COMPILING)
    def init(asked: Mapping[str, Any]) -> dict[str, Any]:
        """First parameters of a network, drawn from a seed."""
        with Phase("check"):
            network = networks.compiled(asked["network"])
        with Phase("compute"):
            params = network.init(asked["seed"], asked["dtype"])
        return {"params": params, "network_id": network.id}

    return routes
