"""POST /v1/init: first parameters of a network, drawn from a seed."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from deltawire import wire
from deltawire_service.api.compute.pipeline import Pipeline
from deltawire_service.engine import Network
from deltawire_service.http.bodies import body_cost
from deltawire_service.http.request_context import current_request
from deltawire_service.schemas.requests import InitRequest
from deltawire_service.schemas.responses import InitResponse


def blueprint(pipeline: Pipeline) -> Blueprint:
    """Return the route."""
    routes = Blueprint("init", __name__)

    @routes.post("/init")
    @pipeline.compiling(InitRequest, InitResponse)
    def init(request: InitRequest, network: Network) -> dict[str, Any]:
        """Draw the first parameters of a network from a seed."""
        written = current_request().response_media_type
        cost = body_cost(request.dtype, wire.JSON, written, request.tensors)
        return {"params": network.init(request.seed, request.dtype, body_cost=cost)}

    return routes
