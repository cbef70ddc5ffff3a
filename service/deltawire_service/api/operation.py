"""One decorator for all routes with a body: the schemas that read it are the schemas that OpenAPI shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import Response, current_app
from marshmallow import Schema

from deltawire_service.http import bodies
from deltawire_service.http.problem_codes import (
    ANYWHERE,
    COMPUTATION,
    DOCUMENT,
    HTTP,
    NETWORK,
    SERVICE,
    TENSORS,
)
from deltawire_service.http.request_context import current
from deltawire_service.observability.server_timing import Phase
from deltawire_service.schemas.request_reader import Reader
from deltawire_service.settings import Settings

BODY = (*HTTP.keys() - {"layer_not_found", "network_not_found", *ANYWHERE}, *DOCUMENT)
"""Codes a route that reads a body may answer with."""

COMPILING = (
    *(*BODY, *NETWORK, *SERVICE, "shape_invalid", "shape_too_large", "shape_mismatch", "dtype_mismatch"),
    *("dtype_unsupported", "unknown_name", "memory_plan_exceeded", "too_many_tensors", "network_not_found"),
)
"""… and one that compiles a network."""

COMPUTING = (*COMPILING, *TENSORS, *COMPUTATION)
"""… and one that computes."""

View = Callable[..., Any]


@dataclass(frozen=True)
class Operation:
    """What a route takes and gives, for OpenAPI."""

    answer: type[Schema]
    request: type[Schema] | None
    codes: frozenset[str]


def operation(
    settings: Settings, answer: type[Schema], request: type[Schema] | None = None, codes: Iterable[str] = ()
) -> Callable[[View], Callable[..., Response]]:
    """The view gets the body as `request` reads it, and gives the document that `answer` describes.

    codes: the problems the route may answer with, beside those of any route.
    """

    def decorate(view: View) -> Callable[..., Response]:
        schema = request() if request else None
        read, fields = (Reader(schema), schema.fields) if schema else (None, {})

        @wraps(view)
        def answered(**path: str) -> Response:
            if read is None:
                return bodies.answer(view(**path))
            with Phase("read"):
                document = bodies.read(settings)
            with Phase("check"):
                published = current_app.extensions["deltawire"].published
                if named := published.complete(document, fields):
                    current().params_id = named.params_id
                asked = read(document)
            answer = view(asked, **path) | ({"params_id": named.params_id} if named else {})
            with Phase("write"):
                return bodies.answer(answer, asked.get("tensors", "lists"))

        answered.operation = Operation(answer, request, frozenset({"internal", *codes}))  # type: ignore[attr-defined]
        return answered

    return decorate
