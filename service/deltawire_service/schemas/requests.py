"""What requests look like. Tensors and networks pass through untouched, to be read by wire and engine."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from deltawire import wire
from deltawire_layers import config
from deltawire_service.faults import Coded, shown

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
    per_example = config.Flag(
        load_default=False,
        metadata={"description": "gradients of each example's own loss, (batch, shape)"},
    )


class ForwardSchema(ComputeSchema):
    """POST /v1/forward."""

    values = config.Names(
        MOST_NAMES, required=True, metadata={"description": "nodes whose values are wanted"}
    )
    non_finite = non_finite_field()


def outputs_field() -> fields.Field[Any]:
    return config.Names(MOST_NAMES, required=True, metadata={"description": "nodes to differentiate"})


class VjpSchema(ComputeSchema):
    """POST /v1/vjp."""

    cotangents = Tensors(
        required=True,
        metadata={"description": "by node, (batch, shape), or (count, batch, shape) for several products"},
    )
    wrt = wrt_field()
    values = config.Names(
        MOST_NAMES, load_default=list, metadata={"description": "nodes whose values are wanted"}
    )
    non_finite = non_finite_field()


class DirectionSchema(Schema):
    """A tensor for some parameters and inputs, shaped like them, or several of each in a leading axis."""

    params = Tensors(load_default=dict, metadata={"description": "by the parameters' names"})
    data = Tensors(load_default=dict, metadata={"description": "by the inputs' names"})


class JvpSchema(ComputeSchema):
    """POST /v1/jvp."""

    tangents = fields.Nested(
        DirectionSchema,
        required=True,
        metadata={"description": "how parameters and inputs move; the others stay"},
    )
    outputs = outputs_field()
    non_finite = non_finite_field()


class JacobianSchema(ComputeSchema):
    """POST /v1/jacobian."""

    outputs = outputs_field()
    wrt = wrt_field()
    mode = fields.String(
        load_default=None,
        allow_none=True,
        validate=Choice("reverse", "forward"),
        metadata={"description": "how it is computed; null: the cheaper mode"},
    )
    non_finite = non_finite_field()


class DiagonalSchema(Schema):
    """An estimate of the Hessian's diagonal."""

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


class HvpSchema(ComputeSchema):
    """POST /v1/hvp."""

    vectors = fields.Nested(
        DirectionSchema,
        load_default=None,
        metadata={"description": "what the Hessian is multiplied by; zero for what it does not name"},
    )
    wrt = fields.Nested(
        WrtSchema,
        load_default=None,
        metadata={"description": "the rows wanted; default: those that vectors name, else all parameters"},
    )
    cotangents = Tensors(
        load_default=dict,
        metadata={"description": "by node, (batch, shape): their sum in place of the loss"},
    )
    reduction = reduction_field()
    quadratic = config.Flag(load_default=False, metadata={"description": "vᵀHv too"})
    diagonal = fields.Nested(
        DiagonalSchema, load_default=None, metadata={"description": "estimate the Hessian's diagonal too"}
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
    samples = config.Integer(
        load_default=10,
        validate=validate.Range(min=1, max=1000),
        metadata={"description": "most places checked in each array; every place costs three forward passes"},
    )


class PlanSchema(Schema):
    """POST /v1/plan."""

    network = Spec(required=True, metadata={"description": "the spec"})
    batch = config.Integer(
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
    seed = config.Integer(
        load_default=0,
        validate=validate.Range(min=0, max=2**64 - 1),
        metadata={"description": "where the random streams start from"},
    )
    dtype = dtype_field()
    tensors = tensors_field()
