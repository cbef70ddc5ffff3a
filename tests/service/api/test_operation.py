"""A function that returns a document becomes a view, described for OpenAPI."""

from __future__ import annotations

from typing import Any

from flask import Flask

from deltawire_service.api.operation import Operation, operation
from deltawire_service.http.request_context import request_middleware
from deltawire_service.schemas.resource_responses import HealthResponse


def test_a_document_becomes_an_answer_in_json() -> None:
    app = Flask(__name__)
    request_middleware(app, [], [], lambda context: None)

    @app.get("/things/<name>")
    @operation(HealthResponse, ["not_ready"])
    def thing(name: str) -> dict[str, Any]:
        """Show a thing."""
        return {"status": name}

    answer = app.test_client().get("/things/live")
    assert (answer.json, answer.mimetype) == ({"status": "live"}, "application/json")
    assert thing.__doc__ == "Show a thing." and thing.__name__ == "thing"
    described = Operation(HealthResponse, None, frozenset({"internal", "not_ready"}))
    assert app.view_functions["thing"].operation == described  # type: ignore[attr-defined]
