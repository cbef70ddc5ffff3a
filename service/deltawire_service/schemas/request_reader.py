"""Reading requests: their options by schema, once for all requests that have the same.

To validate a small document with marshmallow takes as long as to compute a small network. But what differs
from step to step of a training loop are tensors, and these pass through.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson
from marshmallow import Schema, fields

from deltawire_service.engine import Network
from deltawire_service.faults import load
from deltawire_service.schemas.requests import Spec, Tensors

PASSING = (dict, Network)
"""What tensors come in, and what a spec is, or a published network already."""

KEPT = 64
KEPT_BYTES = 2**10
"""Options that take more than this as JSON are read anew each time: what is kept is bounded."""


class Reader:
    """Reads the documents of one route. Shared between threads."""

    def __init__(self, schema: Schema):
        self._schema = schema
        self._passing = {
            name: field for name, field in schema.fields.items() if isinstance(field, Spec | Tensors)
        }
        self._kept = not any(
            isinstance(field, fields.Nested) and _holds_tensors(field) for field in schema.fields.values()
        )
        self._options = lru_cache(KEPT)(self._read_options)

    def __call__(self, document: Any) -> Mapping[str, Any]:
        """The document as the schema reads it. Raises Refused, with a fault for every misfit."""
        if not self._kept or not self._passes(document):
            return load(self._schema, document)
        text = orjson.dumps({name: document[name] for name in document if name not in self._passing})
        if len(text) > KEPT_BYTES:
            return load(self._schema, document)
        passing = {
            name: document[name] if name in document else field.load_default()
            for name, field in self._passing.items()
        }
        return self._options(text) | passing

    def _passes(self, document: Any) -> bool:
        """Whether there is nothing to say about what the schema lets pass, and no array but there."""
        if type(document) is not dict or not document.keys() <= self._schema.fields.keys():
            return False
        for name, field in self._passing.items():
            if name not in document:
                if field.required:
                    return False
            elif not isinstance(document[name], PASSING):
                return False
        return True

    def _read_options(self, text: bytes) -> dict[str, Any]:
        """The options alone; whoever gets them only reads."""
        loaded = load(self._schema, orjson.loads(text) | dict.fromkeys(self._passing, {}))
        return {name: value for name, value in loaded.items() if name not in self._passing}


def _holds_tensors(field: fields.Field[Any]) -> bool:
    """Whether there are tensors somewhere in what a field holds."""
    if isinstance(field, fields.Nested):
        return any(_holds_tensors(inner) for inner in field.schema.fields.values())
    return isinstance(field, Tensors)
