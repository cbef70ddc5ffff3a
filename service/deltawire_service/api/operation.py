"""The decorator of routes that take no body, and what OpenAPI shows of every route."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import Response
from marshmallow import Schema

from deltawire_service.http import bodies
from deltawire_service.http.request_context import current_request


@dataclass(frozen=True)
class Operation:
    """The schemas and problem codes of a route, for OpenAPI."""

    response: type[Schema]
    request: type[Schema] | None
    codes: frozenset[str]
    """The codes of the problems that the route may answer with, beside those of any route."""
    query: type[Schema] | None = None
    statuses: tuple[int, ...] = (200,)
    """Those of its answers."""
    files: tuple[str, ...] = ()
    """The media types of files that the body may be."""
    tensors: bool = False
    """The answer may have tensors."""


View = Callable[..., Response]


def describe(view: View, operation: Operation) -> View:
    """Attach its description to a view."""
    view.operation = operation  # type: ignore[attr-defined]
    return view


def operation(
    response: type[Schema], codes: Iterable[str] = (), query: type[Schema] | None = None
) -> Callable[[Callable[..., dict[str, Any]]], View]:
    """Turn a function that returns a document into a view.

    Args:
        response: the schema that describes the document.
        codes: the problems that the route may answer with, beside those of any route.
        query: the schema of its query, which the view reads.
    """

    def decorate(view: Callable[..., dict[str, Any]]) -> View:
        @wraps(view)
        def respond(**path: str) -> Response:
            return bodies.respond(current_request(), view(**path))

        return describe(respond, Operation(response, None, frozenset({"internal", *codes}), query=query))

    return decorate
