"""The compute routes on a model by path: their documents without a network, parameters and dtype."""

from __future__ import annotations

from flask import Blueprint

from deltawire_service.api.compute import check, forward, gradients, hvp, jacobian, jvp, plan, vjp
from deltawire_service.api.compute.pipeline import Pipeline
from deltawire_service.settings import Settings


def blueprint(pipeline: Pipeline, settings: Settings) -> Blueprint:
    """Return the routes. pipeline: completes documents with the model in the path."""
    routes = Blueprint("model", __name__, url_prefix="/models/<name>")
    for route in (gradients, forward, check, vjp, jvp, jacobian, hvp):
        routes.register_blueprint(route.blueprint(pipeline))
    routes.register_blueprint(plan.blueprint(pipeline, settings, stored=True))
    return routes
