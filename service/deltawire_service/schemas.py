"""What requests and answers look like. Tensors and networks pass through untouched."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from deltawire import wire
from deltawire_layers import config
from deltawire_service.engine.validation import Coded, shown

MOST_NAMES = 2000
"""Names or globs in one list: more than any network has parameters."""

MOST_CHARACTERS = 256
"""Length of a name or a glob. Names have 129 at most; a glob of megabytes costs seconds to compile."""


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


class Spec(fields.Raw):
    """A network; the engine reads it with a schema of its own."""


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


class ForwardSchema(ComputeSchema):
    """POST /v1/forward."""

    values = config.Names(
        MOST_NAMES, required=True, metadata={"description": "nodes whose values are wanted"}
    )
    non_finite = non_finite_field()


class CheckSchema(ComputeSchema):
    """POST /v1/check."""

    wrt = wrt_field(WrtAllSchema)
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
        validate=validate.Range(min=1, max=2**40),
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


# Answers. They are written as they are; these schemas say what is in them, for OpenAPI.


class Tensor(fields.Field[Any]):
    """Nested lists of numbers, or base64."""


class Loss(fields.Field[Any]):
    """A number, or one of the strings for what is not finite."""


def named_tensors(description: str, required: bool = True) -> fields.Field[Any]:
    return fields.Dict(
        keys=fields.String(), values=Tensor(), required=required, metadata={"description": description}
    )


NETWORK_ID = {"description": "SHA-256 of the canonical spec, in hex: equal networks have equal ones"}


class GradientsOf(Schema):
    params = named_tensors("∂loss/∂parameter, by the parameters' names")
    data = named_tensors("∂loss/∂input, by the inputs' names")


class GradientsAnswer(Schema):
    """The loss, its gradients, and what was asked for beside them."""

    loss = Loss(required=True, metadata={"description": "the reduced loss, with the regularization"})
    gradients = fields.Nested(GradientsOf, required=True)
    losses = Tensor(metadata={"description": "each example's loss, (batch,)"})
    values = named_tensors("values of the nodes asked for, (batch, *shape)", required=False)
    deltas = named_tensors("deltas of the nodes asked for, (batch, *shape)", required=False)
    network_id = fields.String(required=True, metadata=NETWORK_ID)


class ForwardAnswer(Schema):
    """Values of the nodes asked for."""

    values = named_tensors("(batch, *shape), by the nodes' names")
    network_id = fields.String(required=True, metadata=NETWORK_ID)


class InitAnswer(Schema):
    """First parameters."""

    params = named_tensors("by the parameters' names")
    network_id = fields.String(required=True, metadata=NETWORK_ID)


def whole(description: str) -> fields.Field[Any]:
    return fields.Integer(required=True, metadata={"description": description})


def sizes() -> fields.Field[Any]:
    return fields.List(fields.Integer(), required=True)


class PlannedNode(Schema):
    name = fields.String(required=True)
    kind = fields.String(required=True)
    inputs = fields.List(fields.String(), required=True)
    shape = sizes()


class PlannedParameter(Schema):
    name = fields.String(required=True)
    shape = sizes()
    numbers = whole("numbers in it")


class PlanAnswer(Schema):
    """What the network consists of, and what a request for it would take."""

    nodes = fields.List(fields.Nested(PlannedNode), required=True, metadata={"description": "in order"})
    parameters = fields.List(fields.Nested(PlannedParameter), required=True)
    loss = fields.Dict(keys=fields.String(), values=fields.Float(), required=True)
    given_bytes = whole("parameters and data")
    answered_bytes = whole("gradients (twice, while they are summed), values, deltas and losses")
    work_bytes = whole("values, what equations hold, and deltas of the rows computed at once")
    peak_bytes = whole("the most held at once: the three together; a JSON body takes its own on top")
    rows_at_once = whole("examples computed at once")
    chunks = whole("how often that is")
    passes = whole("1 for values, 1 more when deltas are sent down, 1 more when parameters have gradients")
    cost_bytes = whole("bytes touched over all passes: what one request costs beside another")
    limit_bytes = whole("largest peak the service takes")
    fits = fields.Boolean(required=True, metadata={"description": "whether the peak is within the limit"})
    network_id = fields.String(required=True, metadata=NETWORK_ID)


def number(description: str) -> fields.Field[Any]:
    return fields.Float(required=True, metadata={"description": description})


class CheckedPlace(Schema):
    index = sizes()
    gradient = number("by backpropagation")
    complex_step = number("f(x + i·h).imag / h with h = 1e-200: exact for analytic layers")
    differences = number("(f(x + h) − f(x − h)) / 2h: coarse, and needs nothing from the layers")
    relative_difference = number("to the complex step, relative to the array's largest gradient or 1")
    relative_difference_to_differences = number("to central differences, likewise")


class CheckedArray(Schema):
    name = fields.String(required=True, metadata={"description": "params/… or data/…"})
    numbers = whole("in the array")
    checked = whole("places checked")
    passed = fields.Boolean(required=True)
    worst = fields.List(fields.Nested(CheckedPlace), required=True, metadata={"description": "worst first"})


class CheckAnswer(Schema):
    """Every array that was checked, with its worst places."""

    passed = fields.Boolean(required=True, metadata={"description": "all of them"})
    arrays = fields.List(fields.Nested(CheckedArray), required=True)
    network_id = fields.String(required=True, metadata=NETWORK_ID)


class LayerInputs(Schema):
    names = fields.List(fields.String(), required=True)
    variadic = fields.Boolean(required=True, metadata={"description": "whether any number more may follow"})


class LayerFormula(Schema):
    value = fields.String(required=True)
    deltas = fields.List(fields.String(allow_none=True), required=True)
    grads = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class LayerAnswer(Schema):
    """A layer as the catalogue shows it."""

    kind = fields.String(required=True)
    summary = fields.String(required=True, metadata={"description": "the formula with its shapes, as text"})
    inputs = fields.Nested(LayerInputs, required=True)
    elementwise = fields.Boolean(required=True)
    config = fields.Dict(required=True, metadata={"description": "JSON Schema of a node's config"})
    distribution = fields.String(required=True, metadata={"description": "where it comes from"})
    formula = fields.Nested(LayerFormula, metadata={"description": "LaTeX with placeholders"})


class LayersAnswer(Schema):
    """The installed layers."""

    layers = fields.List(fields.Nested(LayerAnswer), required=True)


class LimitsAnswer(Schema):
    """What is in force."""

    limits = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    dtypes = fields.List(fields.String(), required=True)
    media_types = fields.List(fields.String(), required=True)
    versions = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class HealthAnswer(Schema):
    """A word."""

    status = fields.String(required=True)


class RootAnswer(Schema):
    """What this is."""

    service = fields.String(required=True)
    version = fields.String(required=True)
    documentation = fields.String(required=True)
    routes = fields.List(fields.String(), required=True)


class FaultAnswer(Schema):
    pointer = fields.String(
        required=True, metadata={"description": "JSON pointer (RFC 6901) into the request"}
    )
    code = fields.String(required=True)
    detail = fields.String(required=True)


class ProblemAnswer(Schema):
    """A problem document (RFC 9457)."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    code = fields.String(required=True, metadata={"description": "stable: callers may build on it"})
    detail = fields.String(required=True)
    request_id = fields.String(required=True)
    errors = fields.List(
        fields.Nested(FaultAnswer), required=True, metadata={"description": "most important first"}
    )
