"""POST /v1/forward: values of chosen nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint

from deltawire_service.api.operation import COMPUTING, operation
from deltawire_service.http import bodies
from deltawire_service.networks.cache import NetworkCache
from deltawire_service.networks.request_tensors import read_values
from deltawire_service.observability.server_timing import Phase
from deltawire_service.schemas.requests import ForwardSchema
from deltawire_service.schemas.responses import ForwardAnswer
from deltawire_service.settings import Settings


def blueprint(settings: Settings, networks: NetworkCache) -> Blueprint:
    """The route, on these networks."""
    routes = Blueprint("forward", __name__)

    @routes.post("/forward")
    @operation(settings, ForwardAnswer, ForwardSchema, COMPUTING)
    def forward(asked: Mapping[str, Any]) -> dict[str, Any]:
        """Values of chosen nodes; only the parameters and inputs that lead to them are needed."""
        with Phase("check"):
            network = networks.compiled(asked["network"])
            params, data = read_values(network, asked, settings, asked["values"])
        with Phase("compute"):
            values = network.forward(
                params,
                data,
                asked["values"],
                non_finite=asked["non_finite"],
                body_cost=bodies.body_cost(asked["dtype"]),
            )
        return {"values": values, "network_id": network.id}

    return routes
