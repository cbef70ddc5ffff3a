"""The answers of the routes that describe the service, and problem documents, for OpenAPI."""

from __future__ import annotations

from marshmallow import Schema, fields

from deltawire_service.schemas.responses import NETWORK_ID, PARAMS_ID, PlannedParameter, sizes


class LayerInputs(Schema):
    names = fields.List(fields.String(), required=True)
    optional = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "those that may follow, in this order, and may be left out"},
    )
    variadic = fields.Boolean(required=True, metadata={"description": "whether any number more may follow"})


class LayerFormula(Schema):
    value = fields.String(required=True)
    deltas = fields.List(fields.String(allow_none=True), required=True)
    grads = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    init = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"description": "how each parameter is first drawn, in words"},
    )


class LayerSynonym(Schema):
    """A name that another library has for a layer, or for one that it comes closest to."""

    name = fields.String(required=True)
    note = fields.String(
        required=True, metadata={"description": "how to use the layer; empty for the same function"}
    )


class LayerTranslation(Schema):
    lang = fields.String(required=True)
    summary = fields.String()
    config = fields.Dict(
        keys=fields.String(), values=fields.String(), required=True,
        metadata={"description": "descriptions of config keys"},
    )  # fmt: skip


class LayerResponse(Schema):
    """The entry of a layer in the catalogue."""

    kind = fields.String(required=True)
    summary = fields.String(required=True, metadata={"description": "the formula with its shapes, as text"})
    inputs = fields.Nested(LayerInputs, required=True)
    elementwise = fields.Boolean(required=True)
    orders = fields.Integer(
        required=True, metadata={"description": "how often it has derivatives: 2, or 1 for some plugins"}
    )
    config = fields.Dict(required=True, metadata={"description": "JSON Schema of a node's config"})
    distribution = fields.String(required=True, metadata={"description": "where it comes from"})
    synonyms = fields.List(
        fields.Nested(LayerSynonym),
        required=True,
        metadata={"description": "names of torch, Keras, jax and optax that the layer stands for"},
    )
    formula = fields.Nested(LayerFormula, metadata={"description": "LaTeX with placeholders"})
    translation = fields.Nested(
        LayerTranslation,
        metadata={"description": "texts in the language asked for; what is missing is not translated"},
    )


class LayersResponse(Schema):
    """The installed layers."""

    layers = fields.List(fields.Nested(LayerResponse), required=True)
    languages = fields.List(
        fields.String(), required=True, metadata={"description": "languages of texts, en among them"}
    )


class PublishedInput(Schema):
    shape = sizes()
    dtype = fields.String(required=True)
    shared = fields.Boolean(required=True)
    pinned = fields.Boolean(required=True, metadata={"description": "whether it has data of its own"})


class PublishedEntry(Schema):
    """The entry of a published network in the list."""

    name = fields.String(required=True)
    network_id = fields.String(required=True, metadata=NETWORK_ID)
    params_id = fields.String(required=True, metadata=PARAMS_ID)
    dtype = fields.String(required=True, metadata={"description": "of its parameters"})
    inputs = fields.Dict(keys=fields.String(), values=fields.Nested(PublishedInput), required=True)
    values = fields.List(fields.String(), required=True, metadata={"description": "nodes it offers"})


class PublishedResponse(PublishedEntry):
    """A published network."""

    parameters = fields.List(fields.Nested(PlannedParameter), required=True)
    network = fields.Dict(required=True, metadata={"description": "the spec, with its defaults"})


class RefusedResponse(Schema):
    name = fields.String(required=True)
    code = fields.String(required=True)
    detail = fields.String(required=True)


class PublishedListResponse(Schema):
    """The published networks."""

    networks = fields.List(fields.Nested(PublishedEntry), required=True)
    refused = fields.List(fields.Nested(RefusedResponse), required=True)


class WorkersResponse(Schema):
    """The workers of the Dask scheduler."""

    connected = fields.Boolean(required=True)
    equal = fields.Integer(
        required=True, metadata={"description": "workers that compute the same bits as this process"}
    )
    other = fields.Integer(required=True, metadata={"description": "workers that get no tasks"})


class LimitsResponse(Schema):
    """The limits in force."""

    limits = fields.Dict(keys=fields.String(), values=fields.Float(), required=True)
    dtypes = fields.List(fields.String(), required=True)
    media_types = fields.List(fields.String(), required=True)
    keeps_models = fields.Boolean(
        required=True, metadata={"description": "whether the service has a folder to keep models in"}
    )
    threads = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        required=True,
        metadata={
            "description": "of each worker: computations at once, compute threads, BLAS threads; cores"
        },
    )
    arithmetic = fields.Dict(
        keys=fields.String(),
        values=fields.String(allow_none=True),
        required=True,
        metadata={
            "description": "the BLAS of matrix products; the instructions of the compiled kernels, "
            "null where numpy computes"
        },
    )
    versions = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    fingerprint = fields.String(
        required=True,
        metadata={"description": "SHA-256: processes with equal fingerprints compute equal bits"},
    )
    workers = fields.Nested(
        WorkersResponse,
        allow_none=True,
        required=True,
        metadata={"description": "those of DELTAWIRE_DASK; null where it is not set"},
    )


class HealthResponse(Schema):
    """The state, in a word."""

    status = fields.String(required=True)


class RootResponse(Schema):
    """The service and its routes."""

    service = fields.String(required=True)
    version = fields.String(required=True)
    documentation = fields.String(required=True)
    routes = fields.List(fields.String(), required=True)


class FaultResponse(Schema):
    pointer = fields.String(
        required=True, metadata={"description": "JSON pointer (RFC 6901) into the request"}
    )
    code = fields.String(required=True)
    detail = fields.String(required=True)
    mend = fields.String(metadata={"description": "a field of the request that helps, and its value"})


class ProblemResponse(Schema):
    """A problem document (RFC 9457)."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    code = fields.String(required=True, metadata={"description": "stable: callers may build on it"})
    detail = fields.String(required=True)
    request_id = fields.String(required=True)
    errors = fields.List(
        fields.Nested(FaultResponse), required=True, metadata={"description": "most important first"}
    )
