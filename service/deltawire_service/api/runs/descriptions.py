"""GET /v1/runs, /v1/runs/{id} and its metrics."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from deltawire_service.api.models.access import LISTING, ModelAccess, ModelCall
from deltawire_service.schemas.queries import MetricsQuery, RunsQuery
from deltawire_service.schemas.run_responses import RunListResponse, RunMetricsResponse, RunResponse
from deltawire_service.training.run_descriptions import describe_run, list_runs, read_metrics

READING_RUN = (*LISTING, "run_not_found")


def blueprint(access: ModelAccess) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("run_descriptions", __name__)

    @routes.get("/runs")
    @access.reading(RunListResponse, (*LISTING, "model_not_found"), RunsQuery)
    def list_all_runs(call: ModelCall, query: dict[str, Any]) -> dict[str, Any]:
        """List the runs of the caller, the latest first."""
        limit = query["limit"]
        found = list_runs(
            access.store,
            call.owner,
            query["before"],
            limit + 1,
            query["model"],
            contains=query["contains"],
            is_open=query["open"],
        )
        page = found[:limit]
        return {"runs": page, "next": page[-1]["number"] if len(found) > limit else None}

    @routes.get("/runs/<id>")
    @access.reading(RunResponse, READING_RUN)
    def show_run(call: ModelCall, query: dict[str, Any], id: str) -> dict[str, Any]:
        """Describe a run: its recipe, its state, and how far it has come."""
        return describe_run(access.store, call.owner, id)

    @routes.get("/runs/<id>/metrics")
    @access.reading(RunMetricsResponse, READING_RUN, MetricsQuery)
    def show_metrics(call: ModelCall, query: dict[str, Any], id: str) -> dict[str, Any]:
        """List the losses of a run, of its steps and of its validations."""
        return read_metrics(access.store, call.owner, id, query["since"], query["limit"])

    return routes
