"""POST /v1/models, and POST /v1/models/{name}/fork: new models."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from deltawire_service.api.compute.pipeline import COMPILING
from deltawire_service.api.models.access import CHANGING, READING_VERSION, ModelAccess, ModelCall
from deltawire_service.api.models.sources import CreationSource
from deltawire_service.http.problem_codes import TENSORS
from deltawire_service.models import creations
from deltawire_service.models.creations import CreateRequest
from deltawire_service.networks.request_tensors import read_values
from deltawire_service.networks.sources import Source
from deltawire_service.schemas.model_requests import CreateModelRequest, ForkRequest
from deltawire_service.schemas.model_responses import CreationResponse
from deltawire_service.schemas.request_reader import RequestParts

FORKING = frozenset({*CHANGING, *READING_VERSION, "model_name_taken", "name_invalid", "quota_exceeded"})
CREATING = FORKING | {*COMPILING, *TENSORS, "network_not_found"}


def blueprint(access: ModelAccess, body: Source) -> Blueprint:
    """Return both routes. body: completes documents that name a published network."""
    routes = Blueprint("creations", __name__)

    @routes.post("/models")
    @access.changing(
        CreateModelRequest,
        CreationResponse,
        CREATING,
        status=201,
        source=CreationSource(access, body),
        large=True,
    )
    def create_model(call: ModelCall, options: CreateModelRequest, parts: RequestParts) -> dict[str, Any]:
        """Make a model that learns: a network with its parameters and an optimizer."""
        network = access.store.compile_network(parts.network)
        limits = access.settings.model_wire_limits
        drawn = not parts.params
        params, constants = read_values(network, parts.params, parts.data, options.dtype, limits)
        notes = parts.network.get("metadata", {}) if isinstance(parts.network, dict) else {}
        request = CreateRequest(
            *(network, options.optimizer, None if drawn else params, options.seed or 0, options.dtype),
            *(notes, constants),
        )
        return creations.create(access.store, call.owner, options.name, request, call.deadline, call.key)

    @routes.post("/models/<name>/fork")
    @access.changing(ForkRequest, CreationResponse, FORKING, status=201)
    def fork_model(call: ModelCall, options: ForkRequest, parts: RequestParts, name: str) -> dict[str, Any]:
        """Make a model of a version of another one: its parameters, its optimizer with its state."""
        return creations.fork(
            access.store, call.owner, name, options.name, call.deadline, options.version, call.key
        )

    return routes
