"""POST /v1/jvp: Jacobian-vector products, from parameters and inputs on to any nodes."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from deltawire_service.api.compute.pipeline import Pipeline
from deltawire_service.engine import Network
from deltawire_service.networks.request_tensors import RequestTensors
from deltawire_service.schemas.requests import JvpRequest
from deltawire_service.schemas.responses import JvpResponse


def blueprint(pipeline: Pipeline) -> Blueprint:
    """Return the route."""
    routes = Blueprint("jvp", __name__)

    @routes.post("/jvp")
    @pipeline.computing(JvpRequest, JvpResponse)
    def jvp(request: JvpRequest, network: Network, tensors: RequestTensors) -> dict[str, Any]:
        """Compute Jacobian-vector products: how any nodes move when parameters and inputs do."""
        result = network.jvp(
            tensors.params,
            tensors.data,
            tensors.directions["tangents"],
            request.outputs,
            non_finite=request.non_finite,
            body_cost=tensors.body_cost,
        )
        return {"values": result.values, "tangents": result.tangents}

    return routes
