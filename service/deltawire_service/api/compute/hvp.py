"""POST /v1/hvp: Hessian-vector products, and estimates of the Hessian's diagonal."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from deltawire.errors import Fault, Refused
from deltawire_service.api.compute.pipeline import Pipeline
from deltawire_service.engine import Direction, Network
from deltawire_service.networks.request_tensors import RequestTensors
from deltawire_service.schemas.requests import HvpRequest
from deltawire_service.schemas.responses import HvpResponse


def blueprint(pipeline: Pipeline) -> Blueprint:
    """Return the route."""
    routes = Blueprint("hvp", __name__)

    @routes.post("/hvp")
    @pipeline.computing(HvpRequest, HvpResponse)
    def hvp(request: HvpRequest, network: Network, tensors: RequestTensors) -> dict[str, Any]:
        """Compute Hessian-vector products of the loss, and estimates of the Hessian's diagonal."""
        vectors = tensors.directions.get("vectors")
        check_wanted(request, vectors)
        cotangents = tensors.cotangents or None
        document: dict[str, Any] = {}
        before = None
        if vectors is not None:
            products = network.hvp(
                tensors.params,
                tensors.data,
                vectors,
                wrt_params=request.wrt.params if request.wrt else None,
                wrt_data=request.wrt.data if request.wrt else None,
                cotangents=cotangents,
                reduction=request.reduction,
                quadratic=request.quadratic,
                non_finite=request.non_finite,
                body_cost=tensors.body_cost,
            )
            before = vectors, products  # held until both are written
            document["products"] = {"params": products.params, "data": products.data}
            if request.quadratic:
                document["quadratic"] = products.quadratic
        if request.diagonal is not None:
            estimate = network.hessian_diagonal(
                tensors.params,
                tensors.data,
                before=before,
                samples=request.diagonal.samples,
                seed=request.diagonal.seed,
                wrt_params=request.wrt.params if request.wrt else True,
                wrt_data=request.wrt.data if request.wrt else False,
                cotangents=cotangents,
                reduction=request.reduction,
                non_finite=request.non_finite,
                body_cost=tensors.body_cost,
            )
            document["diagonal"] = {"params": estimate.params, "data": estimate.data}
            document["hessian_trace"] = estimate.trace
        return document

    return routes


def check_wanted(request: HvpRequest, vectors: Direction | None) -> None:
    """Check that something is wanted.

    Raises:
        Refused: there are no vectors, and no diagonal is wanted, or vᵀHv is.
    """
    if vectors is None and request.diagonal is None:
        raise Refused([Fault("/vectors", "field_missing", "send vectors, or ask for the diagonal")])
    if vectors is None and request.quadratic:
        raise Refused([Fault("/quadratic", "field_invalid", "vᵀHv needs vectors")])
