"""POST /v1/jvp: Jacobian-vector products, from parameters and inputs on to any nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint

from deltawire_service.api.operation import COMPUTING, operation
from deltawire_service.http import bodies
from deltawire_service.networks.cache import NetworkCache
from deltawire_service.networks.request_tensors import read_direction, read_values
from deltawire_service.observability.server_timing import Phase
from deltawire_service.schemas.requests import JvpSchema
from deltawire_service.schemas.responses import JvpAnswer
from deltawire_service.settings import Settings


def blueprint(settings: Settings, networks: NetworkCache) -> Blueprint:
    """The route, on these networks."""
    routes = Blueprint("jvp", __name__)

    @routes.post("/jvp")
    @operation(settings, JvpAnswer, JvpSchema, COMPUTING)
    def jvp(asked: Mapping[str, Any]) -> dict[str, Any]:
        """Jacobian-vector products: how any nodes move when parameters and inputs do."""
        with Phase("check"):
            network = networks.compiled(asked["network"])
            params, data = read_values(network, asked, settings, asked["outputs"])
            tangents = read_direction("tangents", asked, settings)
        with Phase("compute"):
            found = network.jvp(
                params,
                data,
                tangents,
                asked["outputs"],
                non_finite=asked["non_finite"],
                body_cost=bodies.body_cost(asked["dtype"]),
            )
        return {"values": found.values, "tangents": found.tangents, "network_id": network.id}

    return routes
