"""GET /v1/networks and /v1/networks/{name}: the published networks."""

from __future__ import annotations

from math import prod
from typing import Any

from flask import Blueprint

from deltawire_service.api.operation import operation
from deltawire_service.networks.published import Published, PublishedNetworks
from deltawire_service.schemas.service_responses import PublishedAnswer, PublishedListAnswer
from deltawire_service.settings import Settings


def blueprint(settings: Settings, published: PublishedNetworks) -> Blueprint:
    """Both routes, on these networks."""
    routes = Blueprint("networks", __name__)

    @routes.get("/networks")
    @operation(settings, PublishedListAnswer)
    def list_networks() -> dict[str, Any]:
        """The published networks, and the files that cannot be served."""
        refused = published.refused.items()
        return {
            "networks": [described(network) for network in published.served.values()],
            "refused": [{"name": name, "code": why.code, "detail": why.detail} for name, why in refused],
        }

    @routes.get("/networks/<name>")
    @operation(settings, PublishedAnswer, codes=["network_not_found"])
    def show_network(name: str) -> dict[str, Any]:
        """One published network, with its spec."""
        shown = published.find(name)
        parameters = shown.network.parameters.items()
        return described(shown) | {
            "parameters": [
                {"name": name, "shape": parameter.shape, "numbers": prod(parameter.shape)}
                for name, parameter in parameters
            ],
            "network": shown.network.spec,
        }

    return routes


def described(published: Published) -> dict[str, Any]:
    """A published network as the list shows it."""
    return {
        "name": published.name,
        "network_id": published.network.id,
        "params_id": published.params_id,
        "dtype": published.dtype,
        "inputs": {
            name: {
                "shape": slot.shape,
                "dtype": slot.dtype,
                "shared": slot.shared,
                "pinned": name in published.data,
            }
            for name, slot in published.network.inputs.items()
        },
        "values": published.values,
    }
