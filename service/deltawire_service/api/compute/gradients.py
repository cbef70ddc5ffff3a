"""POST /v1/gradients: loss and gradients of a network on a batch."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from deltawire import wire
from deltawire.errors import Fault, Refused
from deltawire_service.api.compute.pipeline import Pipeline
from deltawire_service.engine import Network, Trace, TracedArray
from deltawire_service.http.request_context import current_request
from deltawire_service.networks.request_tensors import RequestTensors
from deltawire_service.schemas.requests import GradientsRequest
from deltawire_service.schemas.responses import GradientsResponse


def blueprint(pipeline: Pipeline) -> Blueprint:
    """Return the route."""
    routes = Blueprint("gradients", __name__)

    @routes.post("/gradients")
    @pipeline.computing(GradientsRequest, GradientsResponse)
    def gradients(request: GradientsRequest, network: Network, tensors: RequestTensors) -> dict[str, Any]:
        """Compute the loss and gradients of a network on a batch."""
        if request.trace:
            check_trace()
        result = network.gradients(
            tensors.params,
            tensors.data,
            wrt_params=request.wrt.params,
            wrt_data=request.wrt.data,
            reduction=request.reduction,
            values=request.values,
            deltas=request.deltas,
            non_finite=request.non_finite,
            body_cost=tensors.body_cost,
            trace=request.trace,
            per_example=request.per_example,
        )
        document: dict[str, Any] = {
            "loss": result.loss,
            "gradients": {"params": result.params, "data": result.data},
        }
        if request.losses:
            document["losses"] = result.losses
        if request.values:
            document["values"] = result.values
        if request.deltas:
            document["deltas"] = result.deltas
        if result.trace:
            document["trace"] = write_trace(result.trace)
        return document

    return routes


def check_trace() -> None:
    """Check that a trace can be answered.

    Raises:
        Refused: the answer is no JSON.
    """
    if current_request().response_media_type != wire.JSON:
        detail = f"a trace is answered as JSON: send Accept: {wire.JSON}"
        raise Refused([Fault("/trace", "field_invalid", detail)])


def write_trace(trace: Trace) -> dict[str, Any]:
    """Return a trace as the answer has it."""
    return {
        "forward": [{"node": name, "value": write_array(value)} for name, value in trace.forward.items()],
        "backward": [
            {
                "node": name,
                "delta": write_array(entry.delta),
                "sends": [
                    {"input": sent.position, "to": sent.source, "delta": write_array(sent.delta)}
                    | ({"local": write_array(sent.local)} if sent.local else {})
                    for sent in entry.sends
                ],
                "gradients": {name: write_array(gradient) for name, gradient in entry.gradients.items()},
            }
            for name, entry in trace.backward.items()
        ],
    }


def write_array(array: TracedArray) -> dict[str, Any]:
    """Return a traced array as the answer has it: its numbers when it is small, else a sample of them."""
    summary = {"shape": list(array.shape), "min": array.min, "max": array.max, "norm": array.norm}
    return summary | {"numbers" if array.whole else "sample": array.numbers}
