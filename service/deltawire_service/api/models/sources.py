"""Documents that name a model: computations on one, and new models made of one."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from contextlib import AbstractContextManager, ExitStack
from functools import wraps
from typing import Any

from flask import Response, request
from marshmallow import Schema
from marshmallow.fields import Field

from deltawire import wire
from deltawire.errors import Fault, Refused
from deltawire_plugins.shown import shown
from deltawire_service.api.models.access import READING_VERSION, ModelAccess, ModelCall
from deltawire_service.api.models.table_notes import explained
from deltawire_service.api.operation import Operation, View, describe
from deltawire_service.engine import Network, current_deadline
from deltawire_service.faults import Faults, ServiceError, load
from deltawire_service.http import bodies
from deltawire_service.http.request_context import current_request
from deltawire_service.http.streaming import stream
from deltawire_service.models.versions import Version, open_version
from deltawire_service.networks.sources import Resolved, Source
from deltawire_service.schemas.dataset_requests import names_dataset
from deltawire_service.schemas.model_requests import ModelReference, VersionReference
from deltawire_service.schemas.model_responses import ModelOfAnswer
from deltawire_service.schemas.queries import VersionQuery, read_query
from deltawire_service.store.tables.models import ModelRow

OWN = frozenset({"network", "params"})
"""Parts of a document that a model has itself."""


def open_model(access: ModelAccess, name: str, version: int | None) -> AbstractContextManager[Version]:
    """Open a version of a model of whoever sends the current request.

    Args:
        access: the models.
        name: the name of the model.
        version: the version; None for the newest.
    """
    return open_version(access.store, current_request().owner, name, current_deadline(), version)


class ModelSource(Source):
    """Completes a document with the network, the parameters and the dtype of the model in the path."""

    codes = frozenset(READING_VERSION)

    def __init__(self, access: ModelAccess):
        self._access = access

    def request_schema(self, schema: type[Schema]) -> type[Schema]:
        return _with(VersionReference, schema, without={*OWN, "dtype"})

    def response_schema(self, schema: type[Schema]) -> type[Schema]:
        return _with(ModelOfAnswer, schema, without={"params_id"})

    def open(self, document: Any, fields: Mapping[str, Field[Any]], held: ExitStack, **path: str) -> Resolved:
        asked = _read_reference(document)
        opened = open_model(self._access, path["name"], asked["version"])
        row, entry, numbers = held.enter_context(opened)
        _check_dtype(document, row)
        complete = {name: part for name, part in document.items() if name != "version"}
        complete |= {"network": self._access.store.network_of(row), "dtype": row.dtype}
        if "params" in fields:
            complete["params"] = dict(numbers.params)
        data = document.get("data", {})
        if numbers.constants and isinstance(data, dict) and not names_dataset(data) and "data" in fields:
            complete["data"] = {**numbers.constants, **data}
        model = {"name": row.name, "version": entry.version, "step": entry.step}
        held.enter_context(explained(row.network))
        return Resolved(complete, {"model": model}, stored=True, pinned=numbers.constants)


def _with(more: type[Schema], schema: type[Schema], without: Container[str]) -> type[Schema]:
    """Return a schema with other fields than it has, named as one for a model."""
    fields: dict[str, Any] = {name: each for name, each in schema().fields.items() if name not in without}
    return Schema.from_dict({**fields, **more().fields}, name=f"Model{schema.__name__}")


def _check_dtype(document: Mapping[str, Any], row: ModelRow) -> None:
    dtype = document.get("dtype", row.dtype)
    if not (isinstance(dtype, str) and dtype == row.dtype):
        detail = f"the model '{row.name}' computes in {row.dtype}, got {shown(dtype)}"
        raise Refused([Fault("/dtype", "dtype_mismatch", detail)])


def _read_reference(document: Any) -> dict[str, Any]:
    """Return the version that a document names. Raises Refused where it brings what the model has."""
    if not isinstance(document, dict):
        return load(VersionReference(), document)  # raises Refused
    faults = Faults()
    for name in sorted(document.keys() & OWN):
        faults.append(Fault(f"/{name}", "field_unknown", f"the model in the path has its own {name}"))
    faults.refuse()
    return load(VersionReference(), {name: document[name] for name in document.keys() & {"version"}})


class CreationSource(Source):
    """Completes the document of a new model with what it names: a published network, or a model's version."""

    def __init__(self, access: ModelAccess, body: Source):
        self._access = access
        self._body = body
        self.codes = body.codes | frozenset(READING_VERSION)

    def request_schema(self, schema: type[Schema]) -> type[Schema]:
        return schema

    def response_schema(self, schema: type[Schema]) -> type[Schema]:
        return schema

    def open(self, document: Any, fields: Mapping[str, Field[Any]], held: ExitStack, **path: str) -> Resolved:
        resolved = self._open(document, fields, held)
        if isinstance(document, dict) and document.get("seed") is not None:
            resolved = _drop_params(document, resolved)
        return resolved

    def _open(self, document: Any, fields: Mapping[str, Field[Any]], held: ExitStack) -> Resolved:
        network = document.get("network") if isinstance(document, dict) else None
        if not (isinstance(network, dict) and "model" in network):
            return _drop_batch(document, self._body.open(document, fields, held))
        reference = load(ModelReference(), network, "/network")
        opened = open_model(self._access, reference["model"], reference["version"])
        try:
            row, _, numbers = held.enter_context(opened)
        except ServiceError as error:
            error.pointer = f"/network{error.pointer}"
            raise
        _check_dtype(document, row)
        params, data = document.get("params", {}), document.get("data", {})
        complete = {"dtype": row.dtype, **document, "network": self._access.store.network_of(row)}
        if isinstance(params, dict):
            complete["params"] = {**numbers.params, **params}
        if isinstance(data, dict):
            complete["data"] = {**numbers.constants, **data}
        return Resolved(complete, {}, stored=True)


def _drop_batch(document: Any, resolved: Resolved) -> Resolved:
    """Leave out the data of a published network that no model keeps: a batch, and inputs of each step."""
    if resolved.document is document:  # it names none
        return resolved
    network, data = resolved.document["network"], resolved.document.get("data")
    if not isinstance(network, Network) or not isinstance(data, dict):
        return resolved
    kept = {*network.constants, *document.get("data", {})}
    data = {name: array for name, array in data.items() if name in kept}
    return resolved.with_part("data", data)


def _drop_params(document: Mapping[str, Any], resolved: Resolved) -> Resolved:
    """Leave out the parameters of what a document names: they are drawn from its seed."""
    params = document.get("params", {})
    if not isinstance(params, dict):
        return resolved  # refused where fields are read
    if params:
        detail = "parameters are drawn from a seed, or come with the request: send one of them"
        raise Refused([Fault("/seed", "field_invalid", detail)])
    return resolved.with_part("params", {})


def reading_version(
    access: ModelAccess, response: type[Schema]
) -> Callable[[Callable[[ModelCall, Version], dict[str, Any]]], View]:
    """Turn a function of the call and a version, whose numbers the answer may have, into a view.

    Args:
        access: the models.
        response: the schema of the answer.
    """
    schema = VersionQuery()

    def decorate(view: Callable[[ModelCall, Version], dict[str, Any]]) -> View:
        @wraps(view)
        def respond(name: str) -> Response:
            context = current_request()
            version = read_query(schema, request.args).get("version")
            with ExitStack() as held:
                opened = held.enter_context(open_model(access, name, version))
                document = view(ModelCall(context, context.owner), opened)
                if context.response_media_type == wire.JSON:
                    answer = bodies.respond(context, document)
                else:  # the numbers are read while they are sent
                    answer = stream(context, document, held.pop_all().close)
                # Weak: JSON and safetensors of one version have it.
                answer.set_etag(f"{opened.row.lineage}-{opened.entry.version}", weak=True)
                return answer

        codes = frozenset({"internal", "memory_plan_exceeded", *READING_VERSION})
        described = Operation(response, None, codes, query=VersionQuery, tensors=True)
        return describe(bodies.answers_in(wire.JSON, wire.SAFETENSORS)(respond), described)

    return decorate
