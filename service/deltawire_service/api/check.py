"""POST /v1/check: backprop's gradients against the complex step and central differences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flask import Blueprint

from deltawire_service import bodies
from deltawire_service.answers import CheckAnswer
from deltawire_service.api.operation import COMPUTING, operation
from deltawire_service.networks import Networks
from deltawire_service.schemas import CheckSchema
from deltawire_service.settings import Settings
from deltawire_service.timing import Phase
from deltawire_service.values import read_values


def blueprint(settings: Settings, networks: Networks) -> Blueprint:
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
                carriage=bodies.carriage(asked["dtype"]),
            )
        return {
            "passed": all(array.passed for array in checked),
            "arrays": [asdict(array) for array in checked],
            "network_id": network.id,
        }

    return routes
