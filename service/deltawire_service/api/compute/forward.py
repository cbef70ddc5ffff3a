"""POST /v1/forward: values of chosen nodes."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from deltawire_service.api.compute.pipeline import Pipeline
from deltawire_service.engine import Network
from deltawire_service.networks.request_tensors import RequestTensors
from deltawire_service.schemas.requests import ForwardRequest
from deltawire_service.schemas.responses import ForwardResponse


def blueprint(pipeline: Pipeline) -> Blueprint:
    """Return the route."""
    routes = Blueprint("forward", __name__)

    @routes.post("/forward")
    @pipeline.computing(ForwardRequest, ForwardResponse, keeps_passes=True)
    def forward(request: ForwardRequest, network: Network, tensors: RequestTensors) -> dict[str, Any]:
        """Compute values of chosen nodes, from the parameters and inputs that lead to them."""
        values = network.forward(
            tensors.params,
            tensors.data,
            network.outputs(tensors.data) if request.values is None else request.values,
            non_finite=request.non_finite,
            body_cost=tensors.body_cost,
        )
        return {"values": values}

    return routes
