"""What other formats call a key of a request or a spec leads to a key that exists."""

from __future__ import annotations

from deltawire_service.document_keys import DOCUMENT_KEYS
from deltawire_service.engine.compile.spec import (
    InputSchema,
    LearnedSchema,
    NetworkSchema,
    NodeSchema,
    RegularizationSchema,
)
from deltawire_service.schemas import requests
from deltawire_service.schemas.requests import NetworkRequest, schema_of


def test_every_key_of_ours_exists() -> None:
    of_spec = (InputSchema, LearnedSchema, NetworkSchema, NodeSchema, RegularizationSchema)
    routes = [
        schema_of(each)
        for each in vars(requests).values()
        if isinstance(each, type) and issubclass(each, NetworkRequest)
    ]
    known = {key for schema in (*of_spec, *routes) for key in schema().fields}
    assert set(DOCUMENT_KEYS.same) <= known
