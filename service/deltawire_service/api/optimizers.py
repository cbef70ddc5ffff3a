"""GET /v1/optimizers and /v1/optimizers/{kind}: the catalogue of installed optimizers, and the schedules."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from deltawire.errors import Fault, Refused
from deltawire_optimizers import SCHEDULES, Optimizer, Registry
from deltawire_plugins.shown import shown
from deltawire_service.api.openapi import json_schema, summary
from deltawire_service.api.operation import operation
from deltawire_service.faults import nearest
from deltawire_service.schemas.model_responses import OptimizerResponse, OptimizersResponse


def blueprint(optimizers: Registry) -> Blueprint:
    """Return both routes, for these optimizers."""
    routes = Blueprint("optimizers", __name__)
    catalogue = {
        kind: describe(kind, optimizer, optimizers.distribution(kind))
        for kind, optimizer in optimizers.items()
    }
    schedules = [
        {"kind": kind, "summary": summary(schedule), "config": json_schema(schedule.Config())}
        for kind, schedule in SCHEDULES.items()
    ]

    @routes.get("/optimizers")
    @operation(OptimizersResponse)
    def list_optimizers() -> dict[str, Any]:
        """List the installed optimizers, and the schedules of the learning rate."""
        return {"optimizers": list(catalogue.values()), "schedules": schedules}

    @routes.get("/optimizers/<kind>")
    @operation(OptimizerResponse, ["optimizer_not_found"])
    def show_optimizer_kind(kind: str) -> dict[str, Any]:
        """Describe one optimizer."""
        if kind not in catalogue:
            detail = f"there is no optimizer {shown(kind)}{nearest(kind, catalogue)}"
            raise Refused([Fault("", "optimizer_not_found", detail)])
        return catalogue[kind]

    return routes


def describe(kind: str, optimizer: type[Optimizer], distribution: str) -> dict[str, Any]:
    """Return the entry of an optimizer in the catalogue.

    Args:
        kind: its name in a model.
        optimizer: its class.
        distribution: name and version of the distribution that it comes from.
    """
    state = optimizer().state((2, 3))
    entry: dict[str, Any] = {
        "kind": kind,
        "summary": summary(optimizer),
        "config": json_schema(optimizer.Config()),
        "state": [{"name": name, "start": array.start} for name, array in state.items()],
        "distribution": distribution,
    }
    if optimizer.formula:
        entry["formula"] = optimizer.formula
    return entry
