"""GET /v1/layers and /v1/layers/{kind}: the catalogue of installed layers."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from deltawire import wire
from deltawire.errors import Fault, Refused
from deltawire_layers import Layer, Registry, RegistryError, arity
from deltawire_service.api.openapi import json_schema, summary
from deltawire_service.api.operation import operation
from deltawire_service.faults import nearest, shown
from deltawire_service.schemas.service_responses import LayerAnswer, LayersAnswer
from deltawire_service.settings import Settings


def blueprint(settings: Settings, layers: Registry) -> Blueprint:
    """Both routes, on these layers."""
    routes = Blueprint("layers", __name__)
    catalogue = {kind: describe(kind, layer, layers.distribution(kind)) for kind, layer in layers.items()}

    @routes.get("/layers")
    @operation(settings, LayersAnswer)
    def list_layers() -> dict[str, Any]:
        """The installed layers."""
        return {"layers": list(catalogue.values())}

    @routes.get("/layers/<kind>")
    @operation(settings, LayerAnswer, codes=["layer_not_found"])
    def show_layer(kind: str) -> dict[str, Any]:
        """One layer."""
        if kind not in catalogue:
            detail = f"no layer of kind {shown(kind)} is installed{nearest(kind, catalogue)}"
            raise Refused([Fault("", "layer_not_found", detail)])
        return catalogue[kind]

    return routes


def describe(kind: str, layer: type[Layer], distribution: str) -> dict[str, Any]:
    """A layer as the catalogue shows it. Raises RegistryError when it cannot be shown: no start, then."""
    try:
        described = _described(kind, layer, distribution)
        wire.encode(described, wire.JSON)
    except Exception as error:
        at_fault = f"layer kind '{kind}' of distribution {distribution}"
        raise RegistryError(f"{at_fault} cannot be described: {type(error).__name__}: {error}") from error
    return described


def _described(kind: str, layer: type[Layer], distribution: str) -> dict[str, Any]:
    """The entry of the catalogue; `formula` only when the layer has one."""
    names, variadic = arity(layer)
    described: dict[str, Any] = {
        "kind": kind,
        "summary": summary(layer),
        "inputs": {"names": names, "variadic": variadic},
        "elementwise": layer.elementwise,
        "config": json_schema(layer.Config()),
        "distribution": distribution,
    }
    if layer.formula:
        described["formula"] = layer.formula._asdict()
    return described
