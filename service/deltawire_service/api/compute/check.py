"""POST /v1/check: backprop's gradients against the complex step and central differences."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint

from deltawire_service.api.compute.pipeline import Pipeline
from deltawire_service.engine import Network
from deltawire_service.networks.request_tensors import RequestTensors
from deltawire_service.schemas.requests import CheckRequest
from deltawire_service.schemas.responses import CheckResponse


def blueprint(pipeline: Pipeline) -> Blueprint:
    """Return the route."""
    routes = Blueprint("check", __name__)

    @routes.post("/check")
    @pipeline.computing(CheckRequest, CheckResponse)
    def check(request: CheckRequest, network: Network, tensors: RequestTensors) -> dict[str, Any]:
        """Check gradients and deltas on a batch by two other ways, and name the worst places."""
        checked = network.check(
            tensors.params,
            tensors.data,
            wrt_params=request.wrt.params,
            wrt_data=request.wrt.data,
            deltas=request.deltas,
            reduction=request.reduction,
            samples=request.samples,
            body_cost=tensors.body_cost,
        )
        arrays = [asdict(array) for array in checked]
        return {"passed": all(array.passed for array in checked), "arrays": arrays}

    return routes
