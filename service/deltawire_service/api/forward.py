"""POST /v1/forward: values of chosen nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint

from deltawire_service import bodies
from deltawire_service.answers import ForwardAnswer
from deltawire_service.api.operation import COMPUTING, operation
from deltawire_service.networks import Networks
from deltawire_service.schemas import ForwardSchema
from deltawire_service.settings import Settings
from deltawire_service.timing import Phase
from deltawire_service.values import read_values


def blueprint(settings: Settings, networks: Networks) -> Blueprint:
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
                carriage=bodies.carriage(asked["dtype"]),
            )
        return {"values": values, "network_id": network.id}

    return routes
