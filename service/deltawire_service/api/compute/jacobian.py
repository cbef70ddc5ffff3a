"""POST /v1/jacobian: the Jacobian of each example."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from deltawire_service.api.compute.pipeline import Pipeline
from deltawire_service.engine import Network
from deltawire_service.networks.request_tensors import RequestTensors
from deltawire_service.schemas.requests import JacobianRequest
from deltawire_service.schemas.responses import JacobianResponse


def blueprint(pipeline: Pipeline) -> Blueprint:
    """Return the route."""
    routes = Blueprint("jacobian", __name__)

    @routes.post("/jacobian")
    @pipeline.computing(JacobianRequest, JacobianResponse)
    def jacobian(request: JacobianRequest, network: Network, tensors: RequestTensors) -> dict[str, Any]:
        """Compute the Jacobian of each example: any nodes by parameters and inputs."""
        result = network.jacobian(
            tensors.params,
            tensors.data,
            request.outputs,
            wrt_params=request.wrt.params,
            wrt_data=request.wrt.data,
            mode=request.mode,
            non_finite=request.non_finite,
            body_cost=tensors.body_cost,
        )
        outputs = {
            name: {"params": block.params, "data": block.data} for name, block in result.outputs.items()
        }
        return {"jacobian": outputs, "mode": result.mode}

    return routes
