"""PATCH and DELETE /v1/models/{name}, and its restore."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from deltawire_service.api.models.access import CHANGING_MODEL, READING_VERSION, ModelAccess, ModelCall
from deltawire_service.models.alterations import change_optimizer, delete, restore
from deltawire_service.schemas.model_requests import ChangeModelRequest, RestoreRequest
from deltawire_service.schemas.model_responses import ChangeResponse, DeletionResponse, RestoreResponse
from deltawire_service.schemas.request_reader import RequestParts
from deltawire_service.schemas.requests import Request


def blueprint(access: ModelAccess) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("changes", __name__)

    @routes.patch("/models/<name>")
    @access.changing(ChangeModelRequest, ChangeResponse, (*CHANGING_MODEL, "version_changed", "unknown_kind"))
    def change_model(
        call: ModelCall, options: ChangeModelRequest, parts: RequestParts, name: str
    ) -> dict[str, Any]:
        """Change the hyperparameters of a model from the next step on."""
        return change_optimizer(
            access.store, call.owner, name, options.optimizer, call.deadline, options.if_version, call.key
        )

    @routes.delete("/models/<name>")
    @access.changing(Request, DeletionResponse, CHANGING_MODEL)
    def delete_model(call: ModelCall, options: Request, parts: RequestParts, name: str) -> dict[str, Any]:
        """Delete a model, with its ledger."""
        return delete(access.store, call.owner, name, call.deadline, call.key)

    @routes.post("/models/<name>/restore")
    @access.changing(
        RestoreRequest,
        RestoreResponse,
        (*CHANGING_MODEL, *READING_VERSION, "version_changed", "quota_exceeded"),
    )
    def restore_model(
        call: ModelCall, options: RestoreRequest, parts: RequestParts, name: str
    ) -> dict[str, Any]:
        """Bring a model back to an earlier version, as a new version."""
        return restore(
            access.store, call.owner, name, options.version, call.deadline, options.if_version, call.key
        )

    return routes
