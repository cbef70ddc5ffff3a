"""GET /metrics: what is counted, for Prometheus."""

from __future__ import annotations

from flask import Blueprint, Response, request

from deltawire_service.observability.metrics import Metrics


def blueprint(metrics: Metrics) -> Blueprint:
    """The route, on these metrics."""
    routes = Blueprint("metrics", __name__)

    @routes.get("/metrics")
    def told() -> Response:
        text, media_type = metrics.text(request.headers.get("Accept", ""))
        return Response(text, content_type=media_type)

    return routes
