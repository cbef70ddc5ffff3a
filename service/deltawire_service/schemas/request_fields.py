"""The fields of requests: networks and tensors pass through them, options are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from marshmallow import Schema, ValidationError, fields, post_load, validate

from deltawire_layers import config
from deltawire_plugins.shown import shown
from deltawire_service.faults import Coded

MOST_NAMES = 2000
"""Names or globs in one list: more than any network has parameters."""

Selection = bool | Sequence[str]
"""Everything, nothing, or these names."""


class Wrt(NamedTuple):
    """The parameters and inputs to differentiate by."""

    params: Selection
    data: Selection


class Estimate(NamedTuple):
    """How the Hessian's diagonal is estimated."""

    samples: int
    seed: int


class SpecField(fields.Raw):
    """A network; the engine reads it with a schema of its own."""

    expected = "the spec of a network, or the name of a published one"


class NewModelField(SpecField):
    """The network of a new model."""

    expected = f"{SpecField.expected}, or that of a model"


class TensorsField(fields.Field[Any]):
    """An object with a tensor under every name; they are read when their dtypes are known."""

    expected = "an object of tensors"

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError(f"expected {self.expected}, got {shown(value)}")
        return value


class DirectionSchema(Schema):
    """A tensor for some parameters and inputs, shaped like them, or several of each in a leading axis."""

    expected = "an object with params and data, each an object of tensors"

    params = TensorsField(load_default=dict, metadata={"description": "by the parameters' names"})
    data = TensorsField(load_default=dict, metadata={"description": "by the inputs' names"})


class DirectionField(fields.Nested):
    """Tensors for some parameters and inputs."""

    def __init__(self, **settings: Any):
        super().__init__(DirectionSchema, **settings)


class NoiseSeedField(config.Integer):
    """Where the noise inputs start from. It may differ from step to step, as tensors do.

    Args:
        otherwise: what they have without a seed, for OpenAPI.
    """

    def __init__(self, otherwise: str):
        super().__init__(
            load_default=None,
            allow_none=True,
            validate=validate.Range(min=0, max=2**64 - 1),
            metadata={"description": f"where the noise inputs start from; null: {otherwise}"},
        )


class SelectionField(fields.Field[Any]):
    """true for everything, false for nothing, or a list of names."""

    expected = "true, false or a list of names"

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> bool | list[str | None]:
        if not isinstance(value, bool | list):
            raise ValidationError(f"expected {self.expected}, got {shown(value)}")
        return value if isinstance(value, bool) else config.Names(MOST_NAMES).deserialize(value)


class Choice(validate.OneOf):
    """One of a few words."""

    def __init__(self, *choices: str, code: str = "field_invalid"):
        super().__init__(choices)
        self.code = code

    def __call__(self, value: Any) -> Any:
        if value not in self.choices:
            expected = " or ".join(map(shown, self.choices))
            raise ValidationError([Coded(self.code, f"expected {expected}, got {shown(value)}")])
        return value


class WrtSchema(Schema):
    """The parameters and inputs to differentiate by."""

    expected = 'an object such as {"params": true, "data": ["x"]}'

    params = SelectionField(
        load_default=True, metadata={"description": "all parameters, none, or a list of globs"}
    )
    data = SelectionField(
        load_default=False, metadata={"description": "all inputs, none, or a list of names"}
    )

    @post_load
    def make(self, loaded: dict[str, Any], **_: Any) -> Wrt:
        return Wrt(**loaded)


class WrtAllSchema(WrtSchema):
    """The parameters and inputs to differentiate by; by default, all of them."""

    data = SelectionField(load_default=True, metadata={"description": "all inputs, none, or a list of names"})


class DiagonalSchema(Schema):
    """An estimate of the Hessian's diagonal."""

    expected = 'an object such as {"samples": 10, "seed": 0}'

    samples = config.Integer(
        load_default=10,
        validate=validate.Range(min=1, max=10_000),
        metadata={"description": "random products it is made of"},
    )
    seed = config.Integer(
        load_default=0,
        validate=validate.Range(min=0, max=2**64 - 1),
        metadata={"description": "where the random streams start from"},
    )

    @post_load
    def make(self, loaded: dict[str, Any], **_: Any) -> Estimate:
        return Estimate(**loaded)


def choice_field(default: str, description: str, *choices: str, **settings: Any) -> fields.Field[Any]:
    """Return a field that is one of a few words.

    Args:
        default: the word when the field is missing.
        description: what the field is, for OpenAPI.
        *choices: the words.
        **settings: of `Choice`.
    """
    return fields.String(
        load_default=default, validate=Choice(*choices, **settings), metadata={"description": description}
    )


def dtype_field() -> fields.Field[Any]:
    """Return the field for the dtype that is computed with."""
    description = (
        "the numbers computed with, by default float64 or the dtype of the published network;"
        " lists are read as it, base64 must have it"
    )
    return choice_field("float64", description, "float64", "float32", code="dtype_unsupported")


def wrt_field(schema: type[Schema] = WrtSchema) -> fields.Field[Any]:
    """Return the field for what to differentiate by."""
    return fields.Nested(
        schema, load_default=lambda: schema().load({}), metadata={"description": "what to differentiate by"}
    )


def nodes_field(description: str) -> fields.Field[Any]:
    """Return the field for a list of nodes, which may be empty."""
    return config.Names(MOST_NAMES, load_default=list, metadata={"description": description})


def required_nodes_field(description: str) -> fields.Field[Any]:
    """Return the field for a list of nodes that must be there."""
    return config.Names(MOST_NAMES, required=True, metadata={"description": description})


def flag_field(description: str, default: bool = False) -> fields.Field[Any]:
    """Return the field for an option that is on or off; default: off."""
    return config.Flag(load_default=default, metadata={"description": description})
