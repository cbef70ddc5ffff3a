"""GET /v1/models, /v1/models/{name} and its ledger."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from deltawire_service.api.models.access import LISTING, ModelAccess, ModelCall
from deltawire_service.models.versions import describe, list_models, read_ledger
from deltawire_service.schemas.model_responses import LedgerResponse, ModelListResponse, ModelResponse
from deltawire_service.schemas.queries import LedgerQuery, ModelsQuery


def blueprint(access: ModelAccess) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("descriptions", __name__)

    @routes.get("/models")
    @access.reading(ModelListResponse, LISTING, ModelsQuery)
    def list_all_models(call: ModelCall, query: dict[str, Any]) -> dict[str, Any]:
        """List the models of the caller, by name."""
        limit = query["limit"]
        page = list_models(access.store, call.owner, query["after"], limit + 1, query["contains"])
        return _page("models", page, limit, "name")

    @routes.get("/models/<name>")
    @access.reading(ModelResponse)
    def show_model(call: ModelCall, query: dict[str, Any], name: str) -> dict[str, Any]:
        """Describe a model, with its network."""
        return describe(access.store, call.owner, name)

    @routes.get("/models/<name>/ledger")
    @access.reading(LedgerResponse, query=LedgerQuery)
    def show_ledger(call: ModelCall, query: dict[str, Any], name: str) -> dict[str, Any]:
        """List the entries of a model's ledger: everything that has changed it."""
        page = read_ledger(access.store, call.owner, name, query["after"], query["limit"] + 1)
        return _page("entries", page, query["limit"], "version")

    return routes


def _page(name: str, found: list[dict[str, Any]], limit: int, key: str) -> dict[str, Any]:
    """Return a page of a list.

    Args:
        name: what the list is of.
        found: what is on the page, and one more if there is any.
        limit: how many are on a page.
        key: what the next page follows.
    """
    page = found[:limit]
    return {name: page, "next": page[-1][key] if len(found) > limit else None}
