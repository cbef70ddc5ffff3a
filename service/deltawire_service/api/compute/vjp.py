"""POST /v1/vjp: vector-Jacobian products, from any nodes back to parameters and inputs."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from deltawire_service.api.compute.pipeline import Pipeline
from deltawire_service.engine import Network
from deltawire_service.networks.request_tensors import RequestTensors
from deltawire_service.schemas.requests import VjpRequest
from deltawire_service.schemas.responses import VjpResponse


def blueprint(pipeline: Pipeline) -> Blueprint:
    """Return the route."""
    routes = Blueprint("vjp", __name__)

    @routes.post("/vjp")
    @pipeline.computing(VjpRequest, VjpResponse, keeps_passes=True)
    def vjp(request: VjpRequest, network: Network, tensors: RequestTensors) -> dict[str, Any]:
        """Compute vector-Jacobian products: cotangents of any nodes, sent back to parameters and inputs."""
        result = network.vjp(
            tensors.params,
            tensors.data,
            tensors.cotangents,
            wrt_params=request.wrt.params,
            wrt_data=request.wrt.data,
            values=request.values,
            non_finite=request.non_finite,
            body_cost=tensors.body_cost,
        )
        document: dict[str, Any] = {"products": {"params": result.params, "data": result.data}}
        if request.values:
            document["values"] = result.values
        return document

    return routes
