"""POST /v1/plan: what a network needs and a request for it would take, computing nothing."""

from __future__ import annotations

from dataclasses import asdict
from math import prod
from typing import Any

import numpy as np
from flask import Blueprint

from deltawire_service.admission.key_limits import planned_bytes
from deltawire_service.api.compute.pipeline import COMPILING, Pipeline
from deltawire_service.engine import Network
from deltawire_service.http.bodies import body_cost
from deltawire_service.http.request_context import current_request
from deltawire_service.schemas.requests import PlanRequest
from deltawire_service.schemas.responses import PlanResponse
from deltawire_service.settings import Settings


def blueprint(pipeline: Pipeline, settings: Settings, stored: bool = False) -> Blueprint:
    """Return the route.

    Args:
        pipeline: reads documents and compiles their networks.
        settings: the settings.
        stored: the service keeps the parameters.
    """
    routes = Blueprint("plan", __name__)

    @routes.post("/plan")
    @pipeline.compiling(PlanRequest, PlanResponse, (*COMPILING, "not_differentiable"))
    def plan(request: PlanRequest, network: Network) -> dict[str, Any]:
        """Plan a request for a batch: shapes, parameters, memory and cost, computing nothing."""
        planned = network.plan(
            request.batch,
            np.dtype(request.dtype),
            wrt_params=request.wrt.params,
            wrt_data=request.wrt.data,
            values=request.values,
            deltas=request.deltas,
            body_cost=body_cost(
                request.dtype,
                request.media_type,
                request.media_type,
                request.tensors,
                with_parameters=not stored,
            ),
        )
        limit = planned_bytes(settings, current_request().key)
        return {
            **tables(network),
            **asdict(planned),
            "peak_bytes": planned.peak_bytes,
            "limit_bytes": limit,
            "limit_operations": settings.planned_operations,
            "fits": planned.peak_bytes <= limit and planned.operations <= settings.planned_operations,
        }

    return routes


def tables(network: Network) -> dict[str, Any]:
    """Return the nodes in the order of computation, the parameters, and the ranges of integer inputs."""
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
            name: [spec.ranges[0].start, spec.ranges[-1].stop - 1]
            for name, spec in network.inputs.items()
            if spec.ranges
        },
        "loss": network.loss,
    }
