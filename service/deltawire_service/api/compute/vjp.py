"""POST /v1/vjp: vector-Jacobian products, from any nodes back to parameters and inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint

from deltawire_service.api.operation import COMPUTING, operation
from deltawire_service.http import bodies
from deltawire_service.networks.cache import NetworkCache
from deltawire_service.networks.request_tensors import read_cotangents, read_values
from deltawire_service.observability.server_timing import Phase
from deltawire_service.schemas.requests import VjpSchema
from deltawire_service.schemas.responses import VjpAnswer
from deltawire_service.settings import Settings


def blueprint(settings: Settings, networks: NetworkCache) -> Blueprint:
    """The route, on these networks."""
    routes = Blueprint("vjp", __name__)

    @routes.post("/vjp")
    @operation(settings, VjpAnswer, VjpSchema, COMPUTING)
    def vjp(asked: Mapping[str, Any]) -> dict[str, Any]:
        """Vector-Jacobian products: cotangents of any nodes, sent back to parameters and inputs."""
        with Phase("check"):
            network = networks.compiled(asked["network"])
            outputs = network.check_outputs(asked["cotangents"])
            params, data = read_values(network, asked, settings, {*outputs, *asked["values"]})
            cotangents = read_cotangents(asked, settings)
        with Phase("compute"):
            found = network.vjp(
                params,
                data,
                cotangents,
                wrt_params=asked["wrt"]["params"],
                wrt_data=asked["wrt"]["data"],
                values=asked["values"],
                non_finite=asked["non_finite"],
                body_cost=bodies.body_cost(asked["dtype"]),
            )
        return {
            "products": {"params": found.params, "data": found.data},
            **({"values": found.values} if asked["values"] else {}),
            "network_id": network.id,
        }

    return routes
