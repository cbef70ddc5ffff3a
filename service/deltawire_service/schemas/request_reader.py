"""Reading requests: the options by schema, once for all requests that have the same.

Validating a small document with marshmallow takes as long as computing a small network. From step to step of
a training loop only tensors and the seed of the noise differ, and those pass through unread.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

import orjson
from marshmallow import Schema, fields

from deltawire_service.engine import Caches, Network
from deltawire_service.faults import load
from deltawire_service.schemas.request_fields import DirectionField, NoiseSeedField, SpecField, TensorsField
from deltawire_service.schemas.requests import Request, schema_of

R = TypeVar("R", bound=Request)

KEPT_BYTES = 2**10
"""Options that take more than this as JSON are read anew each time: few requests repeat them."""


class RequestParts(NamedTuple):
    """The network, the tensors and the seed of the noise of a request, as they came."""

    network: Any
    params: dict[str, Any]
    data: dict[str, Any]
    cotangents: dict[str, Any]
    directions: dict[str, dict[str, dict[str, Any]]]
    """By field, `tangents` or `vectors`, an object with `params` and `data`."""
    gradients: dict[str, Any]
    noise_seed: int | None = None

    def with_data(self, data: dict[str, Any]) -> RequestParts:
        """Return the same parts with other data."""
        return self._replace(data=data)


class RequestReader(Generic[R]):
    """Reads the documents of one route. Shared between threads.

    Args:
        request: the options of the route.
        caches: keeps options that were read.
    """

    def __init__(self, request: type[R], caches: Caches):
        self.schema: Schema = schema_of(request)()
        self._request = request
        parts = {name: self.schema.fields[name] for name in request.parts}
        self._parts = {name: (field.required, _part_check(field)) for name, field in parts.items()}
        self._directions = [name for name, field in parts.items() if isinstance(field, DirectionField)]
        self._options = caches.cached(self._read_options)

    def __call__(self, document: Any) -> tuple[R, RequestParts]:
        """Return the options and the parts of a document.

        Raises:
            Refused: a fault for everything that does not fit the schema.
        """
        if not self._passes(document):
            return self._read_all(document)
        try:
            text = orjson.dumps({name: document[name] for name in document if name not in self._parts})
        except orjson.JSONEncodeError:  # a binary body has put an array there
            return self._read_all(document)
        if len(text) > KEPT_BYTES:
            return self._read_all(document)
        return self._options(text), self._split(document)

    def _passes(self, document: Any) -> bool:
        """Return whether the document has known fields only, and its parts need no reading."""
        if type(document) is not dict or not document.keys() <= self.schema.fields.keys():
            return False
        for name, (required, is_part) in self._parts.items():
            if name not in document:
                if required:
                    return False
            elif not is_part(document[name]):
                return False
        return True

    def _read_all(self, document: Any) -> tuple[R, RequestParts]:
        loaded = load(self.schema, document)
        options = {each.name: loaded[each.name] for each in dataclasses.fields(self._request)}
        return self._request(**options), self._split(loaded)

    def _read_options(self, text: bytes) -> R:
        empty: dict[str, Any] = {name: {} for name, (required, _) in self._parts.items() if required}
        return self._read_all(orjson.loads(text) | empty)[0]

    def _split(self, document: Mapping[str, Any]) -> RequestParts:
        directions = {
            name: {"params": {}, "data": {}, **document[name]}
            for name in self._directions
            if document.get(name) is not None
        }
        part = document.get
        return RequestParts(
            part("network"),
            part("params", {}),
            part("data", {}),
            part("cotangents", {}),
            directions,
            part("gradients", {}),
            part("noise_seed"),
        )


def _part_check(field: fields.Field[Any]) -> Callable[[Any], bool]:
    """Return the function that tells of a part whether it needs no reading."""
    if isinstance(field, SpecField):
        return _is_spec
    if isinstance(field, NoiseSeedField):
        return _is_seed
    return _is_object if isinstance(field, TensorsField) else _is_direction


def _is_spec(value: Any) -> bool:
    return isinstance(value, (dict, Network))


def _is_seed(value: Any) -> bool:
    return value is None or (type(value) is int and 0 <= value < 2**64)


def _is_object(value: Any) -> bool:
    return type(value) is dict


def _is_direction(value: Any) -> bool:
    return _is_object(value) and value.keys() <= {"params", "data"} and all(map(_is_object, value.values()))
