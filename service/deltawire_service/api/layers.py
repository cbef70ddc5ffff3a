"""GET /v1/layers and /v1/layers/{kind}: the catalogue of installed layers."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from deltawire import wire
from deltawire.errors import Fault, Refused
from deltawire_layers import SYNONYMS, Layer, Registry, RegistryError, arity
from deltawire_service.api.openapi import json_schema, summary
from deltawire_service.api.operation import operation
from deltawire_service.faults import unknown_kind
from deltawire_service.schemas.resource_responses import LayerResponse, LayersResponse


def blueprint(layers: Registry) -> Blueprint:
    """Return both routes, for these layers."""
    routes = Blueprint("layers", __name__)
    catalogue = {kind: describe(kind, layer, layers.distribution(kind)) for kind, layer in layers.items()}

    @routes.get("/layers")
    @operation(LayersResponse)
    def list_layers() -> dict[str, Any]:
        """List the installed layers."""
        return {"layers": list(catalogue.values())}

    @routes.get("/layers/<kind>")
    @operation(LayerResponse, ["layer_not_found"])
    def show_layer(kind: str) -> dict[str, Any]:
        """Describe one layer."""
        if kind not in catalogue:
            raise Refused([Fault("", "layer_not_found", unknown_kind(kind, catalogue))])
        return catalogue[kind]

    return routes


def describe(kind: str, layer: type[Layer], distribution: str) -> dict[str, Any]:
    """Return the entry of a layer in the catalogue.

    Args:
        kind: name of the layer in a spec.
        layer: its class.
        distribution: name and version of the distribution that it comes from.

    Raises:
        RegistryError: the layer cannot be described; the service does not start then.
    """
    try:
        entry = _describe(kind, layer, distribution)
        wire.encode(entry, wire.JSON)
    except Exception as error:
        at_fault = f"layer kind '{kind}' of distribution {distribution}"
        raise RegistryError(f"{at_fault} cannot be described: {type(error).__name__}: {error}") from error
    return entry


def _describe(kind: str, layer: type[Layer], distribution: str) -> dict[str, Any]:
    """Return the entry; it has `formula` only when the layer has one."""
    inputs = arity(layer)
    entry: dict[str, Any] = {
        "kind": kind,
        "summary": summary(layer),
        "inputs": {"names": inputs.names, "optional": inputs.optional, "variadic": inputs.variadic},
        "elementwise": layer.elementwise,
        "orders": layer.orders,
        "config": json_schema(layer.Config()),
        "distribution": distribution,
    }
    named = [synonym for synonym in SYNONYMS if synonym.kind == kind]
    entry["synonyms"] = [{"name": synonym.name, "note": synonym.note} for synonym in named]
    if layer.formula:
        entry["formula"] = layer.formula._asdict()
    return entry
