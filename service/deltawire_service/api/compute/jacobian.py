"""POST /v1/jacobian: the Jacobian of each example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint

from deltawire_service.api.operation import COMPUTING, operation
from deltawire_service.http import bodies
from deltawire_service.networks.cache import NetworkCache
from deltawire_service.networks.request_tensors import read_values
from deltawire_service.observability.server_timing import Phase
from deltawire_service.schemas.requests import JacobianSchema
from deltawire_service.schemas.responses import JacobianAnswer
from deltawire_service.settings import Settings


def blueprint(settings: Settings, networks: NetworkCache) -> Blueprint:
    """The route, on these networks."""
    routes = Blueprint("jacobian", __name__)

    @routes.post("/jacobian")
    @operation(settings, JacobianAnswer, JacobianSchema, COMPUTING)
    def jacobian(asked: Mapping[str, Any]) -> dict[str, Any]:
        """The Jacobian of each example: any nodes by parameters and inputs."""
        with Phase("check"):
            network = networks.compiled(asked["network"])
            params, data = read_values(network, asked, settings, asked["outputs"])
        with Phase("compute"):
            found = network.jacobian(
                params,
                data,
                asked["outputs"],
                wrt_params=asked["wrt"]["params"],
                wrt_data=asked["wrt"]["data"],
                mode=asked["mode"],
                non_finite=asked["non_finite"],
                body_cost=bodies.body_cost(asked["dtype"]),
            )
        return {
            "jacobian": {name: block._asdict() for name, block in found.outputs.items()},
            "mode": found.mode,
            "network_id": network.id,
        }

    return routes
