"""What requests look like. Tensors and networks pass through untouched, to be read by wire and engine."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from deltawire import wire
from deltawire_layers import config
from deltawire_service.engine.validation import Coded, shown

MOST_NAMES = 2000
"""Names or globs in one list: more than any network has parameters."""


class Wanted(fields.Field[Any]):
    """true for everything, false for nothing, or a list of names."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> bool | list[str | None]:
        if not isinstance(value, bool | list):
            raise ValidationError(f"expected true, false or a list of names, got {shown(value)}")
        return value if isinstance(value, bool) else config.Names(MOST_NAMES).deserialize(value)


class Tensors(fields.Field[Any]):
    """An object with a tensor under every name; the tensors are read later, when their dtypes are known."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError(f"expected an object of tensors, got {shown(value)}")
        return value


class Spec(fields.Raw):
    """A network; the engine reads it with a schema of its own."""


class Choice(validate.OneOf):
    """One of a few words."""

    def __init__(self, *choices: str, code: str = "field_invalid"):
        super().__init__(choices)
        self.code = code

    def __call__(self, value: Any) -> Any:
        if value not in self.choices:
            expected = " or ".join(self.choices)
            raise ValidationError([Coded(self.code, f"expected {expected}, got {shown(value)}")])
        return value


def dtype_field() -> fields.Field[Any]:
    return fields.String(
        load_default="float64",
        validate=Choice("float64", "float32", code="dtype_unsupported"),
        metadata={"description": "the numbers computed with; lists are read as it, base64 must have it"},
    )


def tensors_field() -> fields.Field[Any]:
    return fields.String(
        load_default="lists",
        validate=Choice(*wire.TENSORS),
        metadata={"description": "how the answer writes its tensors"},
    )


class WrtSchema(Schema):
    """What to differentiate by."""

    params = Wanted(load_default=True, metadata={"description": "all parameters, none, or a list of globs"})
    data = Wanted(load_default=False, metadata={"description": "all inputs, none, or a list of names"})


class WrtAllSchema(WrtSchema):
    """What to differentiate by, inputs too unless told otherwise."""

    data = Wanted(load_default=True, metadata={"description": "all inputs, none, or a list of names"})


def wrt_field(schema: type[Schema] = WrtSchema) -> fields.Field[Any]:
    return fields.Nested(
        schema, load_default=lambda: schema().load({}), metadata={"description": "what to differentiate by"}
    )


def reduction_field() -> fields.Field[Any]:
    return fields.String(
        load_default="mean",
        validate=Choice("mean", "sum"),
        metadata={"description": "of the examples' losses: divided by their number, or not"},
    )


def non_finite_field() -> fields.Field[Any]:
    return fields.String(
        load_default="error",
        validate=Choice("error", "return"),
        metadata={"description": "what becomes of a result that is not finite"},
    )


class ComputeSchema(Schema):
    """What every request for numbers has: a network, its parameters, a batch."""

    network = Spec(required=True, metadata={"description": "the spec"})
    params = Tensors(load_default=dict, metadata={"description": "a tensor for every parameter, by name"})
    data = Tensors(required=True, metadata={"description": "a tensor for every input, by name"})
    dtype = dtype_field()
    tensors = tensors_field()


class GradientsSchema(ComputeSchema):
    """POST /v1/gradients."""

    wrt = wrt_field()
    reduction = reduction_field()
    losses = config.Flag(load_default=False, metadata={"description": "each example's loss too"})
    values = config.Names(
        MOST_NAMES, load_default=list, metadata={"description": "nodes whose values are wanted"}
    )
    deltas = config.Names(
        MOST_NAMES, load_default=list, metadata={"description": "nodes whose deltas are wanted"}
    )
    non_finite = non_finite_field()
    trace = config.Flag(
        load_default=False,
        metadata={"description": "every value, and every delta on its way, in the order of computation"},
    )


class ForwardSchema(ComputeSchema):
    """POST /v1/forward."""

    values = config.Names(
        MOST_NAMES, required=True, metadata={"description": "nodes whose values are wanted"}
    )
    non_finite = non_finite_field()


class CheckSchema(ComputeSchema):
    """POST /v1/check."""

    wrt = wrt_field(WrtAllSchema)
    deltas = config.Names(
        MOST_NAMES,
        load_default=list,
        metadata={"description": "nodes whose deltas are checked too, by moving their values"},
    )
    reduction = reduction_field()
    samples = config.Whole(
        load_default=10,
        validate=validate.Range(min=1, max=1000),
        metadata={"description": "most places checked in each array; every place costs three forward passes"},
    )


class PlanSchema(Schema):
    """POST /v1/plan."""

    network = Spec(required=True, metadata={"description": "the spec"})
    batch = config.Whole(
        load_default=1,
        validate=validate.Range(min=1, max=2**30),
        metadata={"description": "examples in the batch"},
    )
    wrt = wrt_field()
    values = config.Names(
        MOST_NAMES, load_default=list, metadata={"description": "nodes whose values are wanted"}
    )
    deltas = config.Names(
        MOST_NAMES, load_default=list, metadata={"description": "nodes whose deltas are wanted"}
    )
    dtype = dtype_field()
    media_type = fields.String(
        load_default=wire.JSON,
        validate=Choice(*wire.MEDIA_TYPES),
        metadata={"description": "of the request's body and of its answer's"},
    )


class InitSchema(Schema):
    """POST /v1/init."""

    network = Spec(required=True, metadata={"description": "the spec"})
    seed = config.Whole(
        load_default=0,
        validate=validate.Range(min=0, max=2**64 - 1),
        metadata={"description": "where the random streams start from"},
    )
    dtype = dtype_field()
    tensors = tensors_field()
