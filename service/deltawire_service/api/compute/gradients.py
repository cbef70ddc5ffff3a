"""POST /v1/gradients: loss and gradients of a network on a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint

from deltawire import wire
from deltawire.errors import Fault, Refused
from deltawire_service.api.operation import COMPUTING, operation
from deltawire_service.engine import Trace, TracedArray
from deltawire_service.http import bodies
from deltawire_service.networks.cache import NetworkCache
from deltawire_service.networks.request_tensors import read_values
from deltawire_service.observability.server_timing import Phase
from deltawire_service.schemas.requests import GradientsSchema
from deltawire_service.schemas.responses import GradientsAnswer
from deltawire_service.settings import Settings


def blueprint(settings: Settings, networks: NetworkCache) -> Blueprint:
    """The route, on these networks."""
    routes = Blueprint("gradients", __name__)

    @routes.post("/gradients")
    @operation(settings, GradientsAnswer, GradientsSchema, COMPUTING)
    def gradients(asked: Mapping[str, Any]) -> dict[str, Any]:
        """Loss and gradients of a network on a batch."""
        if asked["trace"] and bodies.answered_as() != wire.JSON:
            detail = f"a trace is answered as JSON: send Accept: {wire.JSON}"
            raise Refused([Fault("/trace", "field_invalid", detail)])
        with Phase("check"):
            network = networks.compiled(asked["network"])
            params, data = read_values(network, asked, settings)
        with Phase("compute"):
            result = network.gradients(
                params,
                data,
                wrt_params=asked["wrt"]["params"],
                wrt_data=asked["wrt"]["data"],
                body_cost=bodies.body_cost(asked["dtype"]),
                **{
                    option: asked[option]
                    for option in ("reduction", "values", "deltas", "non_finite", "trace", "per_example")
                },
            )
        return {
            "loss": result.loss,
            "gradients": {"params": result.params, "data": result.data},
            **{part: getattr(result, part) for part in ("losses", "values", "deltas") if asked[part]},
            **({"trace": traced(result.trace)} if result.trace else {}),
            "network_id": network.id,
        }

    return routes


def traced(trace: Trace) -> dict[str, Any]:
    """A trace as the answer writes it."""
    return {
        "forward": [{"node": name, "value": summary(value)} for name, value in trace.forward.items()],
        "backward": [
            {
                "node": name,
                "delta": summary(entry.delta),
                "sends": [
                    {"input": sent.position, "to": sent.source, "delta": summary(sent.delta)}
                    | ({"local": summary(sent.local)} if sent.local else {})
                    for sent in entry.sends
                ],
                "gradients": {name: summary(gradient) for name, gradient in entry.gradients.items()},
            }
            for name, entry in trace.backward.items()
        ],
    }


def summary(array: TracedArray) -> dict[str, Any]:
    """A traced array: its numbers when it is small, else a sample of them."""
    told = {"shape": list(array.shape), "min": array.min, "max": array.max, "norm": array.norm}
    return told | {"numbers" if array.whole else "sample": array.numbers}
