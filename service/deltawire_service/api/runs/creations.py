"""POST /v1/models/{name}/runs: a new run."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from deltawire_service.admission.key_limits import check_gathered_bytes
from deltawire_service.api.compute.pipeline import COMPUTING
from deltawire_service.api.models.access import CHANGING_MODEL, ModelAccess, ModelCall
from deltawire_service.schemas.request_reader import RequestParts
from deltawire_service.schemas.run_requests import Recipe
from deltawire_service.schemas.run_responses import RunChangeResponse
from deltawire_service.training.run_changes import create_run

CODES = frozenset(
    {*CHANGING_MODEL, *COMPUTING, "dataset_not_found", "unknown_column", "unknown_kind", "quota_exceeded"}
)


def blueprint(access: ModelAccess) -> Blueprint:
    """Return the route."""
    routes = Blueprint("run_creations", __name__)

    @routes.post("/models/<name>/runs")
    @access.changing(Recipe, RunChangeResponse, CODES, status=202)
    def start_run(call: ModelCall, options: Recipe, parts: RequestParts, name: str) -> dict[str, Any]:
        """Train a model in the background, by a recipe over a dataset."""

        def admit(size: int) -> None:
            check_gathered_bytes(access.settings, call.context.key, size, "/batch_size")
            access.admit(call.context, size)

        return create_run(access.store, call.owner, name, options, call.deadline, call.key, admit)

    return routes
