"""No sentence of marshmallow reaches a caller, whatever comes in whichever field of whichever schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from marshmallow import Schema, ValidationError, fields
from support.engine import LAYERS

from deltawire_optimizers import load_optimizers
from deltawire_optimizers.schedules import SCHEDULES
from deltawire_plugins.schema_errors import DEFAULTS, schema_errors
from deltawire_service.engine.compile.spec import NetworkSchema
from deltawire_service.schemas import requests

ROUTES = [
    kind
    for kind in vars(requests).values()
    if isinstance(kind, type) and issubclass(kind, requests.NetworkRequest)
]
SCHEMAS: dict[str, type[Schema]] = (
    {kind.__name__: requests.schema_of(kind) for kind in ROUTES}
    | {"network": NetworkSchema}
    | {kind: layer.Config for kind, layer in LAYERS.items()}
    | {f"optimizer {kind}": optimizer.Config for kind, optimizer in load_optimizers().items()}
    | {f"schedule {kind}": schedule.Config for kind, schedule in SCHEDULES.items()}
)
VALUES: tuple[Any, ...] = (
    *(None, True, "x", "", 1, -1, 0, 0.5, -2.5, 10**30, float("nan")),
    *([], [None], ["x"], [-1], [0.5], [[]], [{}], {}, {"k": None}, {"k": 1}, {"k": {}}, {"": 1}),
)


def documents(schema: Schema) -> Iterator[dict[str, Any]]:
    """Yield documents with something wrong at one place, at every depth of a schema."""
    yield {}
    yield {"zzz": 1}
    for name, field in schema.fields.items():
        for value in (*VALUES, *inside(field)):
            yield {name: value}


def inside(field: fields.Field[Any]) -> Iterator[Any]:
    if isinstance(field, fields.Nested):
        yield from ([each] if field.many else each for each in documents(field.schema))
    elif isinstance(field, fields.List):
        yield from ([each] for each in (*VALUES, *inside(field.inner)))
    elif isinstance(field, fields.Dict) and field.value_field:
        yield from ({"k": each} for each in (*VALUES, *inside(field.value_field)))


@pytest.mark.parametrize("name", SCHEMAS)
def test_no_message_is_marshmallow_s_own(name: str) -> None:
    schema, provoked = SCHEMAS[name](), 0
    for document in documents(schema):
        try:
            schema.load(document)
        except ValidationError as error:
            for each in schema_errors(error, schema):
                provoked += 1
                assert not DEFAULTS.fullmatch(each.message), (document, each)
                if each.problem == "missing":
                    assert each.message.startswith("the field is missing: expected "), (document, each)
    assert provoked


def test_every_kind_of_message_is_provoked() -> None:
    """The schemas hold fields that miss, are null, of another type, out of range, and of another length."""
    raw = set()
    for schema in (kind() for kind in SCHEMAS.values()):
        for document in documents(schema):
            try:
                schema.load(document)
            except ValidationError as error:
                raw |= {text for text in flat(error.messages) if DEFAULTS.fullmatch(text)}
    assert raw >= {
        "Missing data for required field.",
        "Unknown field.",
        "Field may not be null.",
        "Not a valid string.",
        "Not a valid mapping type.",
        "Invalid input type.",
        "Must be greater than or equal to 1.",
        "Shorter than minimum length 1.",
        "Must be equal to 1.",
    }


def flat(messages: Any) -> Iterator[str]:
    if isinstance(messages, dict):
        for each in messages.values():
            yield from flat(each)
    else:
        yield from messages
