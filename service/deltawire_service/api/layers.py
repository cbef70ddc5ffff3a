"""GET /v1/layers and /v1/layers/{kind}: the catalogue of installed layers."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from deltawire import wire
from deltawire.errors import Fault, Refused
from deltawire_layers import SYNONYMS, Layer, Registry, RegistryError, arity
from deltawire_plugins import Translations
from deltawire_service.api.openapi import json_schema, summary
from deltawire_service.api.operation import operation
from deltawire_service.faults import unknown_kind
from deltawire_service.schemas.queries import LanguageQuery, read_query
from deltawire_service.schemas.resource_responses import LayerResponse, LayersResponse


def blueprint(layers: Registry, translations: Translations) -> Blueprint:
    """Return both routes, for these layers and the translations of their texts."""
    routes = Blueprint("layers", __name__)
    catalogue = {kind: describe(kind, layer, layers.distribution(kind)) for kind, layer in layers.items()}

    query = LanguageQuery()

    def language_of_query() -> str | None:
        """Return the language that the query of the current request names."""
        return read_query(query, request.args).get("lang")

    def entry(kind: str, language: str | None) -> dict[str, Any]:
        """Return the entry of a layer, with its texts in a language."""
        translated = translate(catalogue[kind], language, translations) if language else None
        return catalogue[kind] | {"translation": translated} if translated else catalogue[kind]

    @routes.get("/layers")
    @operation(LayersResponse, ["field_invalid", "field_unknown"], query=LanguageQuery)
    def list_layers() -> dict[str, Any]:
        """List the installed layers."""
        language = language_of_query()
        listed = [entry(kind, language) for kind in catalogue]
        return {"layers": listed, "languages": ["en", *translations.languages]}

    @routes.get("/layers/<kind>")
    @operation(LayerResponse, ["layer_not_found", "field_invalid", "field_unknown"], query=LanguageQuery)
    def show_layer(kind: str) -> dict[str, Any]:
        """Describe one layer."""
        language = language_of_query()
        if kind not in catalogue:
            raise Refused([Fault("", "layer_not_found", unknown_kind(kind, catalogue))])
        return entry(kind, language)

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


def translate(entry: dict[str, Any], language: str, translations: Translations) -> dict[str, Any] | None:
    """Return the texts of an entry in a language, with those that are translated alone; None without any.

    Args:
        entry: the entry of a layer in the catalogue.
        language: the code of the language, `ko`.
        translations: of the installed distributions; the layer's own counts.
    """
    own = entry["distribution"]
    summary_text = translations.find(language, own, entry["summary"])
    fields = {name: field.get("description") for name, field in entry["config"]["properties"].items()}
    config = {
        name: found
        for name, text in fields.items()
        if text and (found := translations.find(language, own, text))
    }
    if summary_text is None and not config:
        return None
    return {"lang": language, "config": config} | ({"summary": summary_text} if summary_text else {})
