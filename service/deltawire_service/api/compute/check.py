"""POST /v1/check: backprop's gradients against the complex step and central differences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flask import Blueprint

from deltawire_service.api.operation import COMPUTING, operation
from deltawire_service.http import bodies
from deltawire_service.networks.cache import NetworkCache
from deltawire_service.networks.request_tensors import read_values
from deltawire_service.observability.server_timing import Phase
from deltawire_service.schemas.requests import CheckSchema
from deltawire_service.schemas.responses import CheckAnswer
from deltawire_service.settings import Settings


def blueprint(settings: Settings, networks: NetworkCache) -> Blueprint:
    """The route, on these networks."""
    routes = Blueprint("check", __name__)

    @routes.post("/check")
    @operation(settings, CheckAnswer, CheckSchema, COMPUTING)
    def check(asked: Mapping[str, Any]) -> dict[str, Any]:
        """Gradients and deltas on a batch, checked by two other ways; the worst places are named."""
        with Phase("check"):
            network = networks.compiled(asked["network"])
            params, data = read_values(network, asked, settings)
        with Phase("compute"):
            checked = network.check(
                params,
                data,
                wrt_params=asked["wrt"]["params"],
                wrt_data=asked["wrt"]["data"],
                deltas=asked["deltas"],
                reduction=asked["reduction"],
                samples=asked["samples"],
                body_cost=bodies.body_cost(asked["dtype"]),
            )
        return {
            "passed": all(array.passed for array in checked),
            "arrays": [asdict(array) for array in checked],
            "network_id": network.id,
        }

    return routes
