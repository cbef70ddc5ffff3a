"""POST /v1/gradients: loss and gradients of a network on a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint

from deltawire_service import bodies
from deltawire_service.answers import GradientsAnswer
from deltawire_service.api.operation import COMPUTING, operation
from deltawire_service.networks import Networks
from deltawire_service.schemas import GradientsSchema
from deltawire_service.settings import Settings
from deltawire_service.timing import Phase
from deltawire_service.values import read_values


def blueprint(settings: Settings, networks: Networks) -> Blueprint:
    """The route, on these networks."""
    routes = Blueprint("gradients", __name__)

    @routes.post("/gradients")
    @operation(settings, GradientsAnswer, GradientsSchema, COMPUTING)
    def gradients(asked: Mapping[str, Any]) -> dict[str, Any]:
        """Loss and gradients of a network on a batch."""
        with Phase("check"):
            network = networks.compiled(asked["network"])
            params, data = read_values(network, asked, settings)
        with Phase("compute"):
            result = network.gradients(
                params,
                data,
                wrt_params=asked["wrt"]["params"],
                wrt_data=asked["wrt"]["data"],
                carriage=bodies.carriage(asked["dtype"]),
                **{option: asked[option] for option in ("reduction", "values", "deltas", "non_finite")},
            )
        return {
            "loss": result.loss,
            "gradients": {"params": result.params, "data": result.data},
            **{part: getattr(result, part) for part in ("losses", "values", "deltas") if asked[part]},
            "network_id": network.id,
        }

    return routes
