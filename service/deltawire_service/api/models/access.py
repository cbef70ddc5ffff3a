"""The decorators of the routes of models: the owner, the key and the body of a request, and its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import wraps
from typing import Any, NamedTuple, TypeVar

from flask import Response, request
from marshmallow import Schema

from deltawire_service.api.compute.pipeline import BODY, Document, begin_phase
from deltawire_service.api.operation import Operation, View, describe
from deltawire_service.datasets.dataset_store import DatasetStore
from deltawire_service.engine import Caches, current_deadline
from deltawire_service.faults import ServiceError
from deltawire_service.http import bodies, uploads
from deltawire_service.http.idempotency import idempotency_key
from deltawire_service.http.problem_codes import SERVICE
from deltawire_service.http.request_context import RequestContext, current_request
from deltawire_service.models.changes import find_answer as find_model_answer
from deltawire_service.models.model_store import ModelStore
from deltawire_service.networks.sources import Source
from deltawire_service.observability.server_timing import Phase
from deltawire_service.schemas.queries import read_query
from deltawire_service.schemas.request_reader import RequestReader
from deltawire_service.schemas.requests import Request
from deltawire_service.server.bodies.upload_room import UploadRoom
from deltawire_service.settings import Settings
from deltawire_service.store.tables.idempotency_keys import RequestKey

R = TypeVar("R", bound=Request)

LISTING = ("field_unknown", "field_invalid", "store_missing", "store_unavailable")
"""Codes that every route of models may answer with."""

READING = (*LISTING, "model_not_found")
"""Codes that a route may answer with when it reads a model."""

READING_VERSION = (
    *(*READING, *SERVICE, "model_busy", "store_full", "outcome_unknown"),
    *("version_not_found", "version_not_reproducible", "version_expired"),
)
"""Codes that a route may answer with when it reads a version, which may have to be computed again."""

CHANGING = (
    *(*BODY, *READING, *SERVICE, "model_busy", "store_full", "outcome_unknown"),
    *("idempotency_key_invalid", "idempotency_key_reused"),
)
"""Codes that every route may answer with that changes something that is kept."""

CHANGING_MODEL = (*CHANGING, "model_in_run")
"""Codes that every route may answer with that changes a model."""


class StoreMissing(ServiceError):
    """The service has no folder to keep models in."""

    code = "store_missing"
    detail = "this service keeps no models: start it with DELTAWIRE_DATA_DIR, the path of a folder"


class ModelCall(NamedTuple):
    """A request about models.

    Attributes:
        context: the request.
        owner: whoever sent it: the name of its API key; empty where there are no keys.
        key: its Idempotency-Key, if any.
        answer: the answer that an earlier request with this key got, without its arrays.
    """

    context: RequestContext
    owner: str
    key: RequestKey | None = None
    answer: Document | None = None

    @property
    def deadline(self) -> float:
        """The time to give up at, as time.monotonic counts."""
        return current_deadline()


FindAnswer = Callable[[ModelStore, RequestKey, str], Document | None]
"""Finds the answer to a key, given the name in the path."""

Change = Callable[..., Document]
"""A function of the call, the options, the parts, and the variable parts of the path."""


class ModelAccess:
    """Makes the views of the routes of models.

    Args:
        settings: the settings of the service.
        store: the models; None where the service keeps none.
        caches: keeps the options of requests.
        admit: holds memory for a request until its answer has been sent. Raises Overloaded while there is no
            room.
        upload_room: the room for bodies in files.
    """

    def __init__(
        self,
        settings: Settings,
        store: ModelStore | None,
        caches: Caches,
        admit: Callable[[RequestContext, int], None],
        upload_room: UploadRoom,
    ):
        self.settings = settings
        self.admit = admit
        self.upload_room = upload_room
        self._store = store
        self._caches = caches

    @property
    def store(self) -> ModelStore:
        """The models. Raises StoreMissing where the service keeps none."""
        if self._store is None:
            raise StoreMissing
        return self._store

    @property
    def datasets(self) -> DatasetStore:
        """The datasets, for requests that name rows. Raises StoreMissing where the service keeps none."""
        if self._store is None:
            missing = StoreMissing(
                "this service keeps no datasets: start it with DELTAWIRE_DATA_DIR, or send numbers; behind a "
                "proxy, ask a model, as POST /v1/models/NAME/gradients, which goes to where rows are kept"
            )
            missing.pointer = "/data/dataset"
            raise missing
        return self._store.datasets

    def reading(
        self, response: type[Schema], codes: Iterable[str] = READING, query: type[Schema] = Schema
    ) -> Callable[[Callable[..., Document]], View]:
        """Turn a function of the call, the query and the path into the view of a GET route.

        Args:
            response: the schema of its answer.
            codes: the problems that the route may answer with.
            query: the schema of its query.
        """
        schema = query()

        def decorate(view: Callable[..., Document]) -> View:
            @wraps(view)
            def respond(**path: str) -> Response:
                context = current_request()
                options = read_query(schema, request.args)
                return bodies.respond(context, view(ModelCall(context, context.owner), options, **path))

            return describe(respond, Operation(response, None, frozenset({"internal", *codes}), query=query))

        return decorate

    def changing(
        self,
        request: type[R],
        response: type[Schema],
        codes: Iterable[str] = CHANGING,
        status: int = 200,
        replays_arrays: bool = False,
        source: Source | None = None,
        large: bool = False,
        find_answer: FindAnswer = find_model_answer,
        query: type[Schema] | None = None,
    ) -> Callable[[Change], View]:
        """Turn a function of the call, the options, the parts and the path into the view of a change.

        A request whose key was answered before gets that answer, before anything else is looked at.

        Args:
            request: the options of the route.
            response: the schema of its answer.
            codes: the problems that the route may answer with.
            status: the HTTP status of its answer.
            replays_arrays: answers may have arrays, which are not stored: the function adds them to a replay.
            source: completes the documents with what they name.
            large: bodies may hold all parameters of a model: they are received into files.
            find_answer: finds the answer that an earlier request with the same key got.
            query: the schema of its query, which the function reads.
        """
        reader = RequestReader(request, self._caches)

        def decorate(view: Change) -> View:
            @wraps(view)
            def respond(**path: str) -> Response:
                context = current_request()
                with Phase(context, "read"):
                    body = self._receive(context, reader)
                call, tensors = self.call(context, body, path.get("name", ""), find_answer), "lists"
                answer = call.answer
                if answer is None or replays_arrays:
                    with ExitStack() as held:
                        with begin_phase(context, "check"):
                            document = self._decode(context, body, reader)
                            if source:
                                document = source.open(document, reader.schema.fields, held, **path).document
                            options, parts = reader(document)
                            tensors = getattr(options, "tensors", tensors)
                        answer = view(call, options, parts, **path)
                with Phase(context, "write"):
                    return bodies.respond(context, answer, tensors, status)

            schema = type(reader.schema)
            described = Operation(
                response,
                schema,
                frozenset({"internal", *codes}),
                query=query,
                statuses=(status,),
                tensors=True,
            )
            if large:
                uploads.takes_uploads(uploads.OF_MODELS)(respond)
            return describe(respond, described)

        return decorate

    def _receive(self, context: RequestContext, reader: RequestReader[Any]) -> bytes | memoryview:
        """Return the body; a route without options needs none, and no media type."""
        if not reader.schema.fields and not context.content_length:
            return b""
        return uploads.receive(context, self.settings)

    def _decode(self, context: RequestContext, body: bytes | memoryview, reader: RequestReader[Any]) -> Any:
        if not body and not reader.schema.fields:
            return {}
        document = uploads.decode(context, self.settings, body)
        if isinstance(document, dict) and "dtype" in reader.schema.fields:
            bodies.add_dtype(document)
        return document

    def call(
        self,
        context: RequestContext,
        body: bytes | memoryview,
        name: str,
        find_answer: FindAnswer = find_model_answer,
    ) -> ModelCall:
        """Return the call of a change, with the answer that its key got before.

        Args:
            context: the request.
            body: its body.
            name: the name of the model or the dataset in its path, if any.
            find_answer: finds the answer.

        Raises:
            Refused, KeyReused: the key is not well formed, or came with another request.
        """
        owner, key = context.owner, idempotency_key(context)
        if key is None:
            return ModelCall(context, owner)
        request_key = RequestKey(owner, key, uploads.request_digest(context, body))
        return ModelCall(context, owner, request_key, find_answer(self.store, request_key, name))
