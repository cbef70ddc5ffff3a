"""GET /v1/networks and /v1/networks/{name}: the published networks."""

from __future__ import annotations

from math import prod
from typing import Any

from flask import Blueprint

from deltawire_service.api.operation import operation
from deltawire_service.networks.published import Published, PublishedNetworks
from deltawire_service.schemas.resource_responses import PublishedListResponse, PublishedResponse


def blueprint(published: PublishedNetworks) -> Blueprint:
    """Return both routes, for these networks."""
    routes = Blueprint("networks", __name__)

    @routes.get("/networks")
    @operation(PublishedListResponse)
    def list_networks() -> dict[str, Any]:
        """List the published networks, and the files that cannot be served."""
        refused = published.refused.items()
        return {
            "networks": [describe(network) for network in published.served.values()],
            "refused": [
                {"name": name, "code": fault.code, "detail": fault.detail} for name, fault in refused
            ],
        }

    @routes.get("/networks/<name>")
    @operation(PublishedResponse, ["network_not_found"])
    def show_network(name: str) -> dict[str, Any]:
        """Describe one published network, with its spec."""
        network = published.find(name)
        parameters = network.network.parameters.items()
        return describe(network) | {
            "parameters": [
                {"name": name, "shape": parameter.shape, "numbers": prod(parameter.shape)}
                for name, parameter in parameters
            ],
            "network": network.network.spec,
        }

    return routes


def describe(published: Published) -> dict[str, Any]:
    """Return the entry of a published network in the list."""
    return {
        "name": published.name,
        "network_id": published.network.id,
        "params_id": published.params_id,
        "dtype": published.dtype,
        "inputs": {
            name: {
                "shape": spec.shape,
                "dtype": spec.dtype,
                "shared": spec.shared,
                "pinned": name in published.data,
            }
            for name, spec in published.network.inputs.items()
        },
        "values": published.values,
    }
