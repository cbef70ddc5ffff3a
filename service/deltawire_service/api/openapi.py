"""GET /openapi.json: the API in OpenAPI 3.1, made from the schemas that read the bodies."""

from __future__ import annotations

import inspect
import re
from importlib.metadata import version
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from flask import Flask
from marshmallow import Schema, fields, validate
from werkzeug.routing import Rule

from deltawire import wire
from deltawire_layers import Registry
from deltawire_service.api.examples import example_of
from deltawire_service.api.operation import Operation
from deltawire_service.engine import LossField, NetworkSchema
from deltawire_service.http import problems
from deltawire_service.http.problem_codes import ANYWHERE, PROBLEMS
from deltawire_service.schemas import dataset_requests, request_fields, resource_responses, responses
from deltawire_service.schemas.model_requests import ModelReference

OPENAPI = "3.1.0"  # whose schemas are JSON Schema

LISTS = {"type": "array", "items": {}}  # most generators of clients fail at a schema that refers to itself

# Components that no marshmallow schema describes.
COMPONENTS: dict[str, dict[str, Any]] = {
    "Base64Tensor": {
        "description": "The array's bytes in C order, little endian, as base64.",
        "type": "object",
        "required": ["dtype", "shape", "base64"],
        "properties": {
            "dtype": {"type": "string", "enum": list(wire.DTYPES)},
            "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
            "base64": {"type": "string", "contentEncoding": "base64"},
        },
    },
    "Tensors": {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Tensor"}},
    "Tensor": {
        "description": "A number, nested lists of numbers, or base64.",
        "oneOf": [{"type": "number"}, LISTS, {"$ref": "#/components/schemas/Base64Tensor"}],
    },
    "NonFinite": {
        "description": "A number that JSON does not have.",
        "type": "string",
        "enum": ["NaN", "Infinity", "-Infinity"],
    },
    "NumberResponse": {
        "description": "A number of an answer.",
        "oneOf": [{"type": "number"}, {"$ref": "#/components/schemas/NonFinite"}],
    },
    "TensorResponse": {
        "description": "A tensor of an answer; its lists may hold the strings of NonFinite.",
        "oneOf": [
            {"type": "number"},
            {"$ref": "#/components/schemas/NonFinite"},
            LISTS,
            {"$ref": "#/components/schemas/Base64Tensor"},
        ],
    },
    "PublishedName": {
        "description": "A published network.",
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string"}},
    },
}
FILE = {
    "type": "string",
    "format": "binary",
    "description": "The same document as a safetensors file: tensors named by their place"
    " (`params/hidden.weight`, `data/x`, `gradients/data/x`), the rest as JSON text"
    " under `__metadata__.request` or `.response`.",
}
TABLE = {"type": "string", "format": "binary", "description": "A table as a file."}
NAMES = {"type": "array", "items": {"type": "string"}}

PUBLISHED_FIELDS = ("data", "values")
"""Required fields that a request may leave out where it names a published network."""

# The schemas of our own fields, which apispec does not know.
FIELDS: dict[type, dict[str, Any]] = {
    responses.Number: {"$ref": "#/components/schemas/NumberResponse"},
    responses.OptionalNumber: {
        "oneOf": [{"$ref": "#/components/schemas/NumberResponse"}, {"type": "null"}],
    },
    responses.Tensor: {"$ref": "#/components/schemas/TensorResponse"},
    responses.FiniteTensor: {"$ref": "#/components/schemas/Tensor"},
    request_fields.TensorsField: {
        "type": "object",
        "additionalProperties": {"$ref": "#/components/schemas/Tensor"},
    },
    dataset_requests.DataField: {
        "anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("RowsReference", "Tensors")]
    },
    request_fields.SpecField: {
        "oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("Network", "PublishedName")]
    },
    request_fields.NewModelField: {
        "oneOf": [
            {"$ref": f"#/components/schemas/{name}"}
            for name in ("Network", "PublishedName", "ModelReference")
        ]
    },
    request_fields.SelectionField: {"oneOf": [{"type": "boolean"}, NAMES]},
    LossField: {
        "oneOf": [{"type": "string"}, {"type": "object", "additionalProperties": {"type": "number"}}]
    },
}


TAGS = (
    ("networks", "computing with a network"),
    ("layers", "the installed layers"),
    ("published", "networks with parameters, found by name"),
    ("models", "networks that learn, with their ledgers"),
    ("runs", "trainings of models in the background"),
    ("datasets", "tables of numbers that the service keeps"),
    ("optimizers", "the installed optimizers"),
    ("operations", "for those who run the service"),
)


PAGES = (
    ("/openapi.json", wire.JSON, "This description."),
    ("/docs", "text/html", "This description as a page."),
    ("/metrics", "text/plain", "The metrics, for Prometheus."),
    ("/docs/{name}", "application/octet-stream", "The files of the page."),
    ("/models", "text/html", "The explorer's page of models and runs."),
    ("/explorer/{name}", "application/octet-stream", "The files of the explorer, at `/` and `/models`."),
)


def tag(path: str) -> str:
    """Return the group that a path belongs to."""
    for group in ("datasets", "layers", "models", "optimizers", "runs"):
        if path.startswith(f"/v1/{group}"):
            return group
    if path.startswith("/v1/networks"):
        return "published"
    return "networks" if path.startswith("/v1/") and path != "/v1/limits" else "operations"


def document(app: Flask, layers: Registry) -> dict[str, Any]:
    """Return the OpenAPI document of all layers, and of all routes that have an `operation`."""
    plugin = MarshmallowPlugin(schema_name_resolver=_name)
    spec = APISpec(
        "deltawire",
        version("deltawire"),
        OPENAPI,
        plugins=[plugin],
        info={
            "summary": "Gradient computation as a service",
            "description": "POST a network and a batch, get its loss, deltas and gradients back.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        servers=[{"url": "/"}],
        security=[{}, {"bearer": []}, {"basic": []}],
        tags=[{"name": name, "description": text} for name, text in TAGS],
    )
    assert plugin.converter is not None
    for describe in (_field, _nullable_choice):
        plugin.converter.add_attribute_function(describe)  # type: ignore[no-untyped-call]
    for scheme in ("bearer", "basic"):
        description = {
            "type": "http",
            "scheme": scheme,
            "description": "an API key, where the service has any",
        }
        spec.components.security_scheme(scheme, description)
    for name, component in COMPONENTS.items():
        spec.components.schema(name, component)
    spec.components.schema("Network", schema=NetworkSchema)
    spec.components.schema("ModelReference", schema=ModelReference)
    spec.components.schema("RowsReference", schema=dataset_requests.RowsReferenceSchema)
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        view = app.view_functions[rule.endpoint]
        operation = getattr(view, "operation", None)
        if isinstance(operation, Operation):
            (method,) = METHODS & (rule.methods or set())
            path = re.sub(r"<(\w+)>", r"{\1}", rule.rule)
            described = _operation(rule, inspect.getdoc(view) or "", operation)
            spec.path(path, operations={method.lower(): described})
    for path, media_type, text in PAGES:
        content = {media_type: {"schema": {"type": "object" if media_type == wire.JSON else "string"}}}
        get: dict[str, Any] = {
            "summary": text,
            "tags": ["operations"],
            "responses": {"200": {"description": "OK", "content": content}},
        }
        if "{" in path:
            get["parameters"] = [
                {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
            ]
        spec.path(path, operations={"get": get})
    document: dict[str, Any] = spec.to_dict()
    components = document["components"]["schemas"]
    _add_kinds(components["Node"], layers)
    for name, component in components.items():
        if component.get("type") == "object" and not name.endswith("Response"):
            component.setdefault("additionalProperties", False)  # unknown keys are errors
        if name.endswith("Request") and {"network", "dtype"} <= component["properties"].keys():
            _supply_by_published(component)
    for kind, layer in layers.items():
        components[f"config.{kind}"] = json_schema(layer.Config()) | {"description": summary(layer)}
    return document


METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
"""Methods of the routes; Flask adds HEAD and OPTIONS."""

KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "Unique for each change: a request that comes again with it is answered as before.",
}

READING = ("not_acceptable", "content_encoding_unsupported", "deadline_invalid")
"""Codes that any route below /v1 may answer with."""


def _operation(rule: Rule, docstring: str, operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": _identifier(rule),
        "summary": docstring.partition("\n")[0],
        "tags": [tag(rule.rule)],
        "responses": {},
    }
    for status in operation.statuses:
        answer: dict[str, Any] = {wire.JSON: {"schema": operation.response}}
        if operation.tensors:
            answer[wire.SAFETENSORS] = {"schema": FILE}
        described["responses"][str(status)] = {"description": "OK", "content": answer}
    if operation.request and operation.request().fields:
        example = example_of(_identifier(rule), operation.request().fields)
        content: dict[str, Any] = {wire.JSON: {"schema": operation.request, "example": example}}
        content |= {each: {"schema": TABLE} for each in operation.files} or {
            wire.SAFETENSORS: {"schema": FILE}
        }
        described["requestBody"] = {"required": True, "content": content}
    parameters: list[Any] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in sorted(rule.arguments)
    ]
    if operation.query:
        parameters.append({"in": "query", "schema": operation.query})
    if "idempotency_key_reused" in operation.codes:
        parameters.append(KEY)
    if parameters:
        described["parameters"] = parameters
    by_status: dict[int, list[str]] = {}
    for code in PROBLEMS:
        if code in operation.codes or (code in READING and rule.rule.startswith("/v1/")):
            by_status.setdefault(PROBLEMS[code].status, []).append(code)
    for status, codes in sorted(by_status.items()):
        listed = "\n".join(f"- `{code}`: {PROBLEMS[code].title}" for code in codes)
        content = {problems.MEDIA_TYPE: {"schema": resource_responses.ProblemResponse}}
        described["responses"][str(status)] = {"description": listed, "content": content}
    anywhere = "\n".join(f"- `{code}`: {PROBLEMS[code].title}" for code in ANYWHERE)
    content = {problems.MEDIA_TYPE: {"schema": resource_responses.ProblemResponse}}
    described["responses"]["default"] = {"description": anywhere, "content": content}
    return described


def _identifier(rule: Rule) -> str:
    """Return the name of a route, which is unique: that of its function, and where it has a model, so."""
    *groups, function = rule.endpoint.split(".")
    return f"model_{function}" if "model" in groups else function


def _add_kinds(node: dict[str, Any], layers: Registry) -> None:
    """Describe the config of each kind, where generators of clients do not look.

    Of several schemas, the code that openapi-python-client writes takes the first, and loses the config.
    """
    node["properties"]["kind"]["enum"] = list(layers)
    node["properties"]["config"]["description"] = "the config of the kind: the schemas named config.kind"
    node["if"] = {"required": ["config"]}
    node["then"] = {
        "oneOf": [
            {
                "properties": {
                    "kind": {"const": kind},
                    "config": {"$ref": f"#/components/schemas/config.{kind}"},
                }
            }
            for kind in layers
        ]
    }


def _supply_by_published(request: dict[str, Any]) -> None:
    """Require the fields that a published network may supply only beside a spec; its dtype is its own."""
    del request["properties"]["dtype"]["default"]
    supplied = [name for name in PUBLISHED_FIELDS if name in request.get("required", ())]
    if supplied:
        request["required"] = [name for name in request["required"] if name not in supplied]
        request["if"] = {"properties": {"network": {"$ref": "#/components/schemas/Network"}}}
        request["then"] = {"required": supplied}


def _field(self: OpenAPIConverter, field: fields.Field[Any], **_: Any) -> dict[str, Any]:
    return FIELDS.get(type(field), {})


def _nullable_choice(self: OpenAPIConverter, field: fields.Field[Any], ret: dict[str, Any]) -> dict[str, Any]:
    """Write null beside the words of a choice: generators make a class of each type in a list of types."""
    if None not in ret.get("enum", ()):
        return {}
    words = [word for word in ret.pop("enum") if word is not None]
    del ret["type"]
    return {"oneOf": [{"type": "string", "enum": words}, {"type": "null"}]}


def _bounds(self: OpenAPIConverter, field: fields.Field[Any], ret: dict[str, Any]) -> dict[str, Any]:
    """Write bounds that exclude themselves: apispec writes all as inclusive."""
    for check in field.validators:
        if isinstance(check, validate.Range) and not check.min_inclusive:
            ret["exclusiveMinimum"] = ret.pop("minimum")
        if isinstance(check, validate.Range) and not check.max_inclusive:
            ret["exclusiveMaximum"] = ret.pop("maximum")
    return ret


def _name(schema: Any) -> str:
    made = schema if isinstance(schema, type) else type(schema)
    return made.__name__.removesuffix("Schema")


def summary(plugin: type[Any]) -> str:
    """Return the first line of a plugin's docstring: for a layer, its formula with shapes."""
    return (inspect.getdoc(plugin) or "").partition("\n")[0]


def json_schema(schema: Schema) -> dict[str, Any]:
    """Return the JSON Schema of a marshmallow schema; keys that it does not name are errors."""
    converter = OpenAPIConverter(
        OPENAPI, schema_name_resolver=lambda nested: None, spec=APISpec("", "", OPENAPI)
    )
    converter.add_attribute_function(_bounds)  # type: ignore[no-untyped-call]
    described: dict[str, Any] = converter.schema2jsonschema(schema)  # type: ignore[no-untyped-call]
    return described | {"additionalProperties": False}
