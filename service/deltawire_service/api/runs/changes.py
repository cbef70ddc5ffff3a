"""POST /v1/runs/{id}/pause, /resume and /cancel."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from deltawire_service.api.models.access import CHANGING, ModelAccess, ModelCall
from deltawire_service.schemas.request_reader import RequestParts
from deltawire_service.schemas.requests import Request
from deltawire_service.schemas.run_responses import RunChangeResponse
from deltawire_service.store.tables.runs import CANCELLED, PAUSED, QUEUED
from deltawire_service.training.run_changes import set_state

CODES = frozenset({*CHANGING, "run_not_found", "run_ended"} - {"model_not_found"})


def blueprint(access: ModelAccess) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("run_changes", __name__)

    @routes.post("/runs/<id>/pause")
    @access.changing(Request, RunChangeResponse, CODES)
    def pause_run(call: ModelCall, options: Request, parts: RequestParts, id: str) -> dict[str, Any]:
        """Let a run stand still: nothing more of it is kept until it is resumed."""
        return set_state(access.store, call.owner, id, PAUSED, call.deadline, call.key)

    @routes.post("/runs/<id>/resume")
    @access.changing(Request, RunChangeResponse, CODES)
    def resume_run(call: ModelCall, options: Request, parts: RequestParts, id: str) -> dict[str, Any]:
        """Let a run that was paused go on."""
        return set_state(access.store, call.owner, id, QUEUED, call.deadline, call.key)

    @routes.post("/runs/<id>/cancel")
    @access.changing(Request, RunChangeResponse, CODES)
    def cancel_run(call: ModelCall, options: Request, parts: RequestParts, id: str) -> dict[str, Any]:
        """End a run for good: its model stays at the version that it has."""
        return set_state(access.store, call.owner, id, CANCELLED, call.deadline, call.key)

    return routes
