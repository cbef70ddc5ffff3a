"""POST /v1/models/{name}/steps: one step of training."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

import numpy as np
from flask import Blueprint

from deltawire.errors import Fault, Refused
from deltawire.wire import Array
from deltawire_service.api.compute.pipeline import COMPUTING, begin_phase
from deltawire_service.api.datasets.rows import RowsReader
from deltawire_service.api.models.access import CHANGING_MODEL, ModelAccess, ModelCall
from deltawire_service.datasets.errors import DatasetNotFound
from deltawire_service.datasets.fault_places import naming_rows
from deltawire_service.engine import Network, lock
from deltawire_service.http import bodies
from deltawire_service.models.computation import DATA, GRADIENTS, AnswerArrays
from deltawire_service.models.errors import ModelNotFound
from deltawire_service.models.steps import StepRequest, recompute_arrays, take_step
from deltawire_service.networks.request_tensors import read_alike, read_values
from deltawire_service.schemas.dataset_requests import names_dataset
from deltawire_service.schemas.model_requests import StepsRequest
from deltawire_service.schemas.model_responses import StepResponse
from deltawire_service.schemas.request_reader import RequestParts
from deltawire_service.store.errors import AnswerExpired

CODES = frozenset({*CHANGING_MODEL, *COMPUTING, "version_changed", "answer_expired", "quota_exceeded"})


def blueprint(access: ModelAccess, rows: RowsReader) -> Blueprint:
    """Return the route. rows: reads rows of datasets in place of data."""
    routes = Blueprint("steps", __name__)

    @routes.post("/models/<name>/steps")
    @access.changing(StepsRequest, StepResponse, CODES, replays_arrays=True, large=True)
    def step_model(call: ModelCall, options: StepsRequest, parts: RequestParts, name: str) -> dict[str, Any]:
        """Take one step: compute the gradients of a batch, and move the parameters by them."""
        wanted = AnswerArrays(*options.wrt, options.values, options.deltas, options.losses)
        if call.answer and not wanted:
            return call.answer
        try:
            request = _read_request(access, rows, call, options, parts, wanted, name)
        except (ModelNotFound, DatasetNotFound) as error:
            if call.answer:
                raise AnswerExpired(f"{error}: the arrays of the answer follow from it") from error
            raise
        with naming_rows(request.rows, _by_input(request.arrays), "/data") if request.rows else nullcontext():
            answer = call.answer or take_step(
                access.store, call.owner, name, request, call.deadline, call.key
            )
            if wanted and answer["replayed"]:
                arrays = recompute_arrays(access.store, call.owner, name, request, answer, call.deadline)
                return answer | arrays
        return answer

    return routes


def _read_request(
    access: ModelAccess,
    rows: RowsReader,
    call: ModelCall,
    options: StepsRequest,
    parts: RequestParts,
    wanted: AnswerArrays,
    name: str,
) -> StepRequest:
    with begin_phase(call.context, "check"):
        row = access.store.find(call.owner, name)
        network, gathered = access.store.network_of(row), None
        if names_dataset(parts.data):
            gathered = rows.read(call.context, network, parts.data, row.dtype)
            parts = parts.with_data(gathered.arrays)
        with naming_rows(gathered.reference, gathered.arrays, "/data") if gathered else nullcontext():
            arrays = _read(access, network, parts, row.dtype)
        cost = bodies.body_cost(
            row.dtype,
            call.context.media_type,
            call.context.response_media_type,
            options.tensors,
            with_parameters=False,
            with_data=gathered is None,
        )
        if not wanted:  # the answer has numbers and no arrays, as it has none of a gradient
            cost = cost.without_answer()
    return StepRequest(
        arrays,
        options.reduction,
        options.optimizer,
        options.if_version,
        parts.noise_seed,
        wanted,
        cost,
        options.durable,
        gathered.reference if gathered else None,
    )


def _by_input(arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {name.removeprefix(DATA): array for name, array in arrays.items()}


def _read(access: ModelAccess, network: Network, parts: RequestParts, dtype: str) -> dict[str, Array]:
    """Return the arrays of a step as the ledger names them."""
    if parts.data and parts.gradients:
        raise Refused([Fault("/gradients", "field_invalid", "a step has data or gradients, not both")])
    if not parts.data and not parts.gradients:
        raise Refused([Fault("/data", "field_missing", "a step needs data, or gradients in its place")])
    limits = access.settings.model_wire_limits
    if parts.gradients:
        gradients = read_alike("/gradients", parts.gradients, dtype, limits)
        return {f"{GRADIENTS}{name}": _aligned(array) for name, array in gradients.items()}
    _, data = read_values(network, {}, parts.data, dtype, limits)
    return {f"{DATA}{name}": _aligned(array) for name, array in data.items()}


def _aligned(array: Array) -> Array:
    """Return an array as a replay gets it: numpy sums one that is not aligned in another order."""
    if not isinstance(array, np.ndarray) or array.flags.aligned:  # an unknown name is left unread
        return array
    copy = array.copy()
    lock(copy)
    return copy
