"""POST /v1/hvp: Hessian-vector products, and estimates of the Hessian's diagonal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint

from deltawire.errors import Fault, Refused
from deltawire_service.api.operation import COMPUTING, operation
from deltawire_service.http import bodies
from deltawire_service.networks.cache import NetworkCache
from deltawire_service.networks.request_tensors import read_cotangents, read_direction, read_values
from deltawire_service.observability.server_timing import Phase
from deltawire_service.schemas.requests import HvpSchema
from deltawire_service.schemas.responses import HvpAnswer
from deltawire_service.settings import Settings


def blueprint(settings: Settings, networks: NetworkCache) -> Blueprint:
    """The route, on these networks."""
    routes = Blueprint("hvp", __name__)

    @routes.post("/hvp")
    @operation(settings, HvpAnswer, HvpSchema, COMPUTING)
    def hvp(asked: Mapping[str, Any]) -> dict[str, Any]:
        """Hessian-vector products of the loss, and estimates of the Hessian's diagonal."""
        _check(asked)
        answer: dict[str, Any] = {}
        with Phase("check"):
            network = networks.compiled(asked["network"])
            outputs = network.check_outputs(asked["cotangents"]) if asked["cotangents"] else None
            params, data = read_values(network, asked, settings, outputs)
            cotangents = read_cotangents(asked, settings) if outputs else None
            vectors = read_direction("vectors", asked, settings) if asked["vectors"] else None
        options: dict[str, Any] = {
            "cotangents": cotangents,
            "reduction": asked["reduction"],
            "non_finite": asked["non_finite"],
            "body_cost": bodies.body_cost(asked["dtype"]),
        }
        before = None
        wrt = {f"wrt_{part}": names for part, names in (asked["wrt"] or {}).items()}
        if vectors:
            with Phase("compute"):
                found = network.hvp(params, data, vectors, quadratic=asked["quadratic"], **wrt, **options)
            before = vectors, found  # held until both are written
            answer["products"] = {"params": found.params, "data": found.data}
            if asked["quadratic"]:
                answer["quadratic"] = found.quadratic
        if asked["diagonal"]:
            with Phase("compute"):
                estimate = network.hessian_diagonal(
                    params, data, before=before, **asked["diagonal"], **wrt, **options
                )
            answer["diagonal"] = {"params": estimate.params, "data": estimate.data}
            answer["hessian_trace"] = estimate.trace
        return answer | {"network_id": network.id}

    return routes


def _check(asked: Mapping[str, Any]) -> None:
    """Raises Refused unless something is asked for."""
    if asked["vectors"] is None and asked["diagonal"] is None:
        raise Refused([Fault("/vectors", "field_missing", "send vectors, or ask for the diagonal")])
    if asked["vectors"] is None and asked["quadratic"]:
        raise Refused([Fault("/quadratic", "field_invalid", "vᵀHv needs vectors")])
