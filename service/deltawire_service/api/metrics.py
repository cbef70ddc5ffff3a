"""GET /metrics: the metrics, for Prometheus."""

from __future__ import annotations

from flask import Blueprint, Response, request

from deltawire_service.observability.metrics import Metrics


def blueprint(metrics: Metrics) -> Blueprint:
    """Return the route, for these metrics."""
    routes = Blueprint("metrics", __name__)

    @routes.get("/metrics")
    def exposition() -> Response:
        text, media_type = metrics.text(request.headers.get("Accept", ""))
        return Response(text, content_type=media_type)

    return routes
