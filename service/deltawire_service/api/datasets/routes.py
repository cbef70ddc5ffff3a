"""PUT, GET and DELETE /v1/datasets."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import ExitStack
from functools import partial
from typing import Any

from flask import Blueprint, Response, request

from deltawire import wire
from deltawire.errors import Fault, Refused
from deltawire_service.admission.parsing_turns import ParsingTurns
from deltawire_service.api.datasets.path_files import copied_file
from deltawire_service.api.models.access import CHANGING, LISTING, FindAnswer, ModelAccess, ModelCall
from deltawire_service.api.operation import Operation, describe
from deltawire_service.datasets import changes
from deltawire_service.datasets.dataset_store import DatasetStore
from deltawire_service.datasets.formats import csv
from deltawire_service.datasets.formats.csv_header import read_names
from deltawire_service.datasets.formats.media_types import READERS
from deltawire_service.datasets.table import CheckTable, Table
from deltawire_service.faults import load
from deltawire_service.http import bodies, uploads
from deltawire_service.http.problem_codes import TENSORS
from deltawire_service.http.request_context import RequestContext, current_request
from deltawire_service.http.uploads import Uploads
from deltawire_service.observability.server_timing import Phase
from deltawire_service.schemas.dataset_requests import PathSchema
from deltawire_service.schemas.dataset_responses import (
    DatasetDeletionResponse,
    DatasetListResponse,
    DatasetResponse,
    PutDatasetResponse,
)
from deltawire_service.schemas.queries import DatasetsQuery, DeleteDatasetQuery, PutDatasetQuery, read_query
from deltawire_service.schemas.request_reader import RequestParts
from deltawire_service.schemas.requests import Request
from deltawire_service.store.tables.idempotency_keys import RequestKey

OF_DATASETS = Uploads("dataset_body_bytes", tuple(READERS))

TABLES = ParsingTurns(2)
"""Tables that a process reads at once: their parsers hold Python's global lock, and some memory each."""

MODELS_ONLY = {"model_not_found"}

READING = frozenset({*LISTING, "dataset_not_found"})
DELETING = frozenset({*CHANGING, "dataset_not_found", "dataset_in_use"}) - MODELS_ONLY
PUTTING = (
    *(*CHANGING, *TENSORS, "quota_exceeded", "name_invalid", "dataset_exists", "dataset_invalid"),
    "answer_expired",
    *("path_not_allowed", "format_not_installed"),
)


def _of_datasets(find: Callable[[DatasetStore, RequestKey, str], dict[str, Any] | None]) -> FindAnswer:
    """Return the same search in the datasets of a model store."""
    return lambda store, key, name: find(store.datasets, key, name)


find_put_answer = _of_datasets(changes.find_put_answer)
find_deletion_answer = _of_datasets(changes.find_deletion_answer)


def blueprint(access: ModelAccess) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("datasets", __name__)

    def put_dataset(name: str) -> Response:
        """Make a dataset of a table: a file as the body, or the path of one that the service may read."""
        context = current_request()
        texts = read_names(read_query(PutDatasetQuery(), request.args)["texts"])
        with Phase(context, "read"):
            body = uploads.receive(context, access.settings, OF_DATASETS)
        call = access.call(context, body, name, find_put_answer)
        answer = call.answer
        if answer is None:
            with Phase(context, "compute"), TABLES.take(), ExitStack() as files:
                store, read = access.store.datasets, partial(_read, access, context, body, files, texts)
                answer = changes.put(store, call.owner, name, read, call.deadline, call.key)
        return bodies.respond(context, answer, status=200 if answer["unchanged"] else 201)

    described = Operation(
        *(PutDatasetResponse, PathSchema, frozenset({"internal", *PUTTING}) - MODELS_ONLY),
        query=PutDatasetQuery,
        statuses=(200, 201),
        files=tuple(READERS),
    )
    routes.put("/datasets/<name>")(uploads.takes_uploads(OF_DATASETS)(describe(put_dataset, described)))

    @routes.get("/datasets")
    @access.reading(DatasetListResponse, LISTING, DatasetsQuery)
    def list_datasets(call: ModelCall, query: dict[str, Any]) -> dict[str, Any]:
        """List the datasets of the caller, by name."""
        limit = query["limit"]
        found = access.store.datasets.page(call.owner, query["after"], limit + 1)
        listed = [changes.summarize(row) for row in found[:limit]]
        return {"datasets": listed, "next": listed[-1]["name"] if len(found) > limit else None}

    @routes.get("/datasets/<name>")
    @access.reading(DatasetResponse, READING)
    def show_dataset(call: ModelCall, query: dict[str, Any], name: str) -> dict[str, Any]:
        """Show a dataset: its columns with their types and statistics."""
        row = access.store.datasets.find(call.owner, name)
        return changes.describe_dataset(row, access.store.datasets.columns(row))

    @routes.delete("/datasets/<name>")
    @access.changing(
        Request,
        DatasetDeletionResponse,
        DELETING,
        find_answer=find_deletion_answer,
        query=DeleteDatasetQuery,
    )
    def delete_dataset(call: ModelCall, options: Request, parts: RequestParts, name: str) -> dict[str, Any]:
        """Delete a dataset that no ledger needs."""
        most = read_query(DeleteDatasetQuery(), request.args)["uploads"]
        return changes.delete(access.store.datasets, call.owner, name, call.deadline, call.key, most)

    return routes


def _read(
    access: ModelAccess,
    context: RequestContext,
    body: bytes | memoryview,
    files: ExitStack,
    texts: Collection[str],
    check: CheckTable,
) -> Table:
    """Read the table in a body, or in the file that it names.

    Args:
        access: the settings and the room for files.
        context: the request.
        body: its body.
        files: holds the copy of a file.
        texts: names of the columns of texts of a CSV.
        check: checks the columns.
    """
    sent = context.media_type
    if sent == wire.JSON:
        document = bodies.decode(context, body, access.settings.wire_limits)
        path = load(PathSchema(), document)["path"]
        sent, body = files.enter_context(copied_file(path, access.settings, access.upload_room))
    if not texts:
        return READERS[sent](memoryview(body), check)
    if sent != "text/csv":
        detail = f"only a CSV has columns to name, got {sent}: the others have types of their own"
        raise Refused([Fault("/texts", "field_invalid", detail)])
    return csv.read(memoryview(body), check, texts)
