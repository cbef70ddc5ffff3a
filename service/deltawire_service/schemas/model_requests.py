"""The requests of the routes of models: a dataclass for the options of each route."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, fields, validate

from deltawire import wire
from deltawire_layers import config
from deltawire_service.schemas.dataset_requests import DataField
from deltawire_service.schemas.request_fields import (
    NewModelField,
    NoiseSeedField,
    SelectionField,
    TensorsField,
    Wrt,
    WrtSchema,
    choice_field,
    dtype_field,
    flag_field,
    nodes_field,
)
from deltawire_service.schemas.requests import Request, option, reduction, seed_field


def version_field(description: str, required: bool = False) -> fields.Field[Any]:
    """Return the field for a version of a model."""
    default: dict[str, Any] = {"required": True} if required else {"load_default": None, "allow_none": True}
    return config.Integer(
        validate=validate.Range(min=0, max=2**62), metadata={"description": description}, **default
    )


class ObjectField(fields.Dict):
    """An object that is read with a schema of its own later.

    Args:
        example: such an object, as JSON, for whoever sends something else.
        description: what it is, for OpenAPI.
        **settings: of the field.
    """

    def __init__(self, example: str, description: str, **settings: Any):
        super().__init__(metadata={"description": description}, **settings)
        self.expected = f"an object such as {example}"


OPTIMIZER = '{"kind": "adam", "config": {"learning_rate": 0.001}}'
OPTIMIZER_CHANGES = '{"config": {"learning_rate": 0.001}}'


def if_version() -> Any:
    """Declare the version that a change must start from."""
    return option(version_field("the version that the change must start from; null for any"))


class WrtNothingSchema(WrtSchema):
    """The gradients that the answer has; by default none."""

    params = SelectionField(
        load_default=False, metadata={"description": "of all parameters, none, or a list of globs"}
    )


@dataclass(frozen=True)
class CreateModelRequest(Request):
    """The options of POST /v1/models."""

    parts = {
        "network": NewModelField(
            required=True,
            metadata={"description": "the spec, the name of a published one, or that of a model"},
        ),
        "params": TensorsField(
            load_default=dict,
            metadata={"description": "a tensor for every parameter, by name; none: they are drawn"},
        ),
        "data": TensorsField(
            load_default=dict,
            metadata={
                "description": "a tensor for every constant of the network, by name: the model keeps it"
            },
        ),
    }
    name: str = option(fields.String(required=True, metadata={"description": "the name of the new model"}))
    optimizer: Mapping[str, Any] = option(
        ObjectField(OPTIMIZER, "kind, config, and perhaps schedule and clip", required=True)
    )
    seed: int | None = option(seed_field(load_default=None, allow_none=True))
    dtype: str = option(dtype_field())


@dataclass(frozen=True)
class ForkRequest(Request):
    """The options of POST /v1/models/{name}/fork."""

    name: str = option(fields.String(required=True, metadata={"description": "the name of the new model"}))
    version: int | None = option(version_field("the version to fork; null for the newest"))


@dataclass(frozen=True)
class RestoreRequest(Request):
    """The options of POST /v1/models/{name}/restore."""

    version: int = option(version_field("the version to go back to", required=True))
    if_version: int | None = if_version()


@dataclass(frozen=True)
class ChangeModelRequest(Request):
    """The options of PATCH /v1/models/{name}."""

    optimizer: Mapping[str, Any] = option(
        ObjectField(
            OPTIMIZER_CHANGES, "changes: a config key by key, a schedule and clip as a whole", required=True
        )
    )
    if_version: int | None = if_version()


@dataclass(frozen=True)
class StepsRequest(Request):
    """The options of POST /v1/models/{name}/steps."""

    parts = {
        "data": DataField(
            load_default=dict,
            metadata={"description": "a tensor for every input, by name; or rows of a dataset"},
        ),
        "gradients": TensorsField(
            load_default=dict,
            metadata={"description": "in place of data: a gradient for every parameter, by name"},
        ),
        "noise_seed": NoiseSeedField("the number of the step"),
    }
    reduction: str = reduction()
    optimizer: Mapping[str, Any] = option(
        ObjectField(OPTIMIZER_CHANGES, "changes of the optimizer for this step only", load_default=dict)
    )
    if_version: int | None = if_version()
    wrt: Wrt = option(
        fields.Nested(
            WrtNothingSchema,
            load_default=lambda: WrtNothingSchema().load({}),
            metadata={"description": "the gradients that the answer has"},
        )
    )
    values: Sequence[str] = option(nodes_field("nodes whose values are wanted"))
    deltas: Sequence[str] = option(nodes_field("nodes whose deltas are wanted"))
    losses: bool = option(flag_field("each example's loss too"))
    durable: bool = option(
        flag_field("the step is on the disk before it is answered: a crash of the machine loses none", True)
    )
    tensors: str = option(choice_field("lists", "how the answer writes its tensors", *wire.TENSORS))


class VersionReference(Schema):
    """A version of the model in the path."""

    version = version_field("the version; the newest by default")


class ModelReference(VersionReference):
    """A version of a model, in place of a network."""

    model = fields.String(required=True, metadata={"description": "the name of the model"})
