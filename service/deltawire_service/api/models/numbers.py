"""GET /v1/models/{name}/params and /optimizer: the numbers of any version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Blueprint

from deltawire import wire
from deltawire.errors import Fault, Refused
from deltawire.wire import Array
from deltawire_service.admission.key_limits import planned_bytes
from deltawire_service.api.models.access import ModelAccess, ModelCall
from deltawire_service.api.models.sources import reading_version
from deltawire_service.http import bodies
from deltawire_service.models.versions import Version
from deltawire_service.networks.published import params_id
from deltawire_service.schemas.model_responses import ModelOptimizerResponse, ModelParamsResponse


def blueprint(access: ModelAccess) -> Blueprint:
    """Return both routes."""
    routes = Blueprint("numbers", __name__)

    @routes.get("/models/<name>/params")
    @reading_version(access, ModelParamsResponse)
    def show_params(call: ModelCall, version: Version) -> dict[str, Any]:
        """Return the parameters of a version, as a saved request that can be published."""
        params = dict(version.numbers.params)
        constants = dict(version.numbers.constants)
        admit_json(access, call, params | constants)
        answer = {"network": json.loads(version.row.network), "params": params, "origin": origin(version)}
        return answer | ({"data": constants} if constants else {})

    @routes.get("/models/<name>/optimizer")
    @reading_version(access, ModelOptimizerResponse)
    def show_optimizer(call: ModelCall, version: Version) -> dict[str, Any]:
        """Return the optimizer of a version, with its state."""
        state = dict(version.numbers.state)
        admit_json(access, call, state)
        return {
            "optimizer": json.loads(version.entry.optimizer),
            "state": state,
            "origin": origin(version),
        }

    return routes


def origin(version: Version) -> dict[str, Any]:
    """Return where the numbers of an answer come from."""
    row, entry, numbers = version
    return {
        "model": row.name,
        "version": entry.version,
        "step": entry.step,
        "lineage": row.lineage,
        "params_id": params_id(numbers.params),
    }


def admit_json(access: ModelAccess, call: ModelCall, arrays: Mapping[str, Array]) -> None:
    """Hold the memory of numbers that are written as JSON; a binary answer takes none.

    Args:
        access: the settings, and the memory.
        call: the request.
        arrays: the numbers by name.

    Raises:
        Refused: the answer would be too large.
        Overloaded: there is no room for it now, beside other requests and unsent answers.
    """
    written = call.context.response_media_type
    if written != wire.JSON:
        return
    dtype = next((array.dtype.name for array in arrays.values()), "float64")
    cost = bodies.body_cost(dtype, wire.JSON, written).written_bytes([a.shape for a in arrays.values()])
    most = planned_bytes(access.settings, call.context.key)
    if cost > most:
        mend = f"send Accept: {wire.SAFETENSORS}"
        detail = f"the answer takes {cost} bytes as JSON, at most {most} are written: {mend}"
        raise Refused([Fault("", "memory_plan_exceeded", detail)])
    access.admit(call.context, cost)
