"""POST /v1/plan: what a network needs and a request for it would take, computing nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from math import prod
from typing import Any

import numpy as np
from flask import Blueprint

from deltawire_service.admission.key_limits import planned_bytes
from deltawire_service.api.operation import COMPILING, operation
from deltawire_service.engine import Network
from deltawire_service.http import bodies
from deltawire_service.http.request_context import current
from deltawire_service.networks.cache import NetworkCache
from deltawire_service.observability.server_timing import Phase
from deltawire_service.schemas.requests import PlanSchema
from deltawire_service.schemas.responses import PlanAnswer
from deltawire_service.settings import Settings


def blueprint(settings: Settings, networks: NetworkCache) -> Blueprint:
    """The route, on these networks."""
    routes = Blueprint("plan", __name__)

    @routes.post("/plan")
    @operation(settings, PlanAnswer, PlanSchema, (*COMPILING, "not_differentiable"))
    def plan(asked: Mapping[str, Any]) -> dict[str, Any]:
        """Shapes, parameters, memory and cost of a request for a batch of some size, computing nothing."""
        with Phase("check"):
            network = networks.compiled(asked["network"])
            planned = network.plan(
                asked["batch"],
                np.dtype(asked["dtype"]),
                wrt_params=asked["wrt"]["params"],
                wrt_data=asked["wrt"]["data"],
                values=asked["values"],
                deltas=asked["deltas"],
                body_cost=bodies.body_cost(asked["dtype"], asked["media_type"], asked["media_type"]),
            )
        limit = planned_bytes(settings, current().key)
        return {
            **tables(network),
            **asdict(planned),
            "peak_bytes": planned.peak_bytes,
            "limit_bytes": limit,
            "fits": planned.peak_bytes <= limit,
            "network_id": network.id,
        }

    return routes


def tables(network: Network) -> dict[str, Any]:
    """The nodes in the order of computation, the parameters, and what integers the inputs take."""
    return {
        "nodes": [
            {"name": node.name, "kind": node.kind, "inputs": node.inputs, "shape": node.shape}
            for node in network.nodes.values()
        ],
        "parameters": [
            {"name": name, "shape": parameter.shape, "numbers": prod(parameter.shape)}
            for name, parameter in network.parameters.items()
        ],
        "ranges": {
            name: [slot.range.start, slot.range.stop - 1]
            for name, slot in network.inputs.items()
            if slot.range is not None
        },
        "loss": network.loss,
    }
