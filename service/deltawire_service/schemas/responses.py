"""The answers of the routes that compute. These schemas describe them for OpenAPI; they are not validated."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields


class Tensor(fields.Field[Any]):
    """Nested lists of numbers, or base64."""


class FiniteTensor(Tensor):
    """A tensor whose numbers are finite, so that a request can send it back as it is."""


class Number(fields.Field[Any]):
    """A number, or one of the strings for what is not finite."""


class OptionalNumber(Number):
    """A number as above, or null."""


def named_tensors(description: str, required: bool = True) -> fields.Field[Any]:
    return fields.Dict(
        keys=fields.String(), values=Tensor(), required=required, metadata={"description": description}
    )


NETWORK_ID = {"description": "SHA-256 of the canonical spec, in hex: equal networks have equal ones"}


PARAMS_ID = {
    "description": "SHA-256 of the parameters, in hex: those of a published network, taken as they are"
}


class Computed(Schema):
    """The network and the parameters that an answer with numbers comes from."""

    network_id = fields.String(required=True, metadata=NETWORK_ID)
    params_id = fields.String(metadata=PARAMS_ID)


class GradientsOf(Schema):
    params = named_tensors("∂loss/∂parameter, by the parameters' names")
    data = named_tensors("∂loss/∂input, by the inputs' names")


def number(description: str, allow_none: bool = False) -> fields.Field[Any]:
    return Number(required=True, allow_none=allow_none, metadata={"description": description})


class TracedArray(Schema):
    shape = fields.List(fields.Integer(), required=True, metadata={"description": "(batch, *shape)"})
    min = number("the least number in it")
    max = number("the largest")
    norm = number("√Σx²")
    numbers = Tensor(metadata={"description": "all of it, unless it is too large"})
    sample = Tensor(metadata={"description": "else some numbers, at even distances"})


class TracedValue(Schema):
    node = fields.String(required=True)
    value = fields.Nested(TracedArray, required=True)


class SentDelta(Schema):
    input = fields.Integer(required=True, metadata={"description": "position among the node's inputs"})
    to = fields.String(required=True, metadata={"description": "the node or input there"})
    delta = fields.Nested(TracedArray, required=True)
    local = fields.Nested(
        TracedArray, metadata={"description": "∂value/∂input, for layers that work number by number"}
    )


class TracedDelta(Schema):
    node = fields.String(required=True)
    delta = fields.Nested(TracedArray, required=True, metadata={"description": "all that arrived, summed"})
    sends = fields.List(fields.Nested(SentDelta), required=True)
    gradients = fields.Dict(
        keys=fields.String(),
        values=fields.Nested(TracedArray),
        required=True,
        metadata={"description": "the part of this node alone in its parameters' gradients"},
    )


class TraceResponse(Schema):
    forward = fields.List(fields.Nested(TracedValue), required=True)
    backward = fields.List(fields.Nested(TracedDelta), required=True)


class GradientsResponse(Computed):
    """The loss, its gradients, and the other results that the request wants."""

    loss = Number(required=True, metadata={"description": "the reduced loss, with the regularization"})
    gradients = fields.Nested(GradientsOf, required=True)
    losses = Tensor(metadata={"description": "each example's loss, (batch,)"})
    values = named_tensors("values of the nodes named, (batch, *shape)", required=False)
    deltas = named_tensors("deltas of the nodes named, (batch, *shape)", required=False)
    trace = fields.Nested(TraceResponse, metadata={"description": "both passes, in the order of computation"})


class ProductsOf(Schema):
    params = named_tensors("by the parameters' names, shaped like them")
    data = named_tensors("by the inputs' names, shaped like them")


class VjpResponse(Computed):
    """The response of `/v1/vjp`: cotangents propagated back to parameters and inputs."""

    products = fields.Nested(
        ProductsOf,
        required=True,
        metadata={"description": "with the leading axis of the cotangents where they had one"},
    )
    values = named_tensors("values of the nodes named, (batch, *shape)", required=False)


class JvpResponse(Computed):
    """The response of `/v1/jvp`: the derivative of each output along the given tangents."""

    values = named_tensors("values of the outputs, (batch, *shape)")
    tangents = named_tensors("by output, with the leading axis of the tangents sent where they had one")


class JacobianOf(Schema):
    params = named_tensors("∂output/∂parameter of each example, (batch, *output shape, *shape)")
    data = named_tensors("∂output/∂input of each example, (batch, *output shape, *shape)")


class JacobianResponse(Computed):
    """The Jacobian of each example."""

    jacobian = fields.Dict(
        keys=fields.String(),
        values=fields.Nested(JacobianOf),
        required=True,
        metadata={"description": "by output"},
    )
    mode = fields.String(required=True, metadata={"description": "how it was computed: reverse or forward"})


class HvpResponse(Computed):
    """Hessian-vector products, and the other results that the request wants."""

    products = fields.Nested(
        ProductsOf, metadata={"description": "Hv, with the leading axis of the vectors where they had one"}
    )
    quadratic = Tensor(metadata={"description": "vᵀHv: a number, or one for each vector"})
    diagonal = fields.Nested(ProductsOf, metadata={"description": "estimates of ∂²loss/∂θ²"})
    hessian_trace = Number(metadata={"description": "the sum of these estimates"})


class ForwardResponse(Computed):
    """Values of the nodes that the request names."""

    values = named_tensors("(batch, *shape), by the nodes' names")


class InitResponse(Schema):
    """First parameters."""

    params = fields.Dict(
        keys=fields.String(),
        values=FiniteTensor(),
        required=True,
        metadata={"description": "by the parameters' names, as a request sends them"},
    )
    network_id = fields.String(required=True, metadata=NETWORK_ID)


def integer(description: str) -> fields.Field[Any]:
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
    numbers = integer("numbers in it")


class PlanResponse(Schema):
    """The nodes and parameters of the network, and the memory and cost of a request for it."""

    nodes = fields.List(fields.Nested(PlannedNode), required=True, metadata={"description": "in order"})
    parameters = fields.List(fields.Nested(PlannedParameter), required=True)
    ranges = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.Integer()),
        required=True,
        metadata={"description": "of inputs that take integers: the least and the largest"},
    )
    loss = fields.Dict(keys=fields.String(), values=fields.Float(), required=True)
    given_bytes = integer("parameters and data")
    stored_bytes = integer("of these, the parameters that the service keeps: no memory of the request")
    answered_bytes = integer(
        "gradients (more than once while they are summed over chunks), values, deltas and losses"
    )
    read_bytes = integer("the body, while the numbers given are read from it")
    work_bytes = integer("values, what equations hold, and deltas of the rows computed at once")
    written_bytes = integer("the answer's body, while the numbers answered are written into it")
    peak_bytes = integer("the most held at once: given − stored + max(read, answered + max(work, written))")
    rows_at_once = integer("examples computed at once")
    chunks = integer("how often that is")
    threads = integer("chunks computed at the same time")
    passes = integer("1 for values, 1 more when deltas are sent down, 1 more when parameters have gradients")
    operations = integer("operations over all passes, of which a fast core does 2^35 in a second")
    segments = integer("parts of the batch that other machines can compute, where the service has some")
    limit_bytes = integer("largest peak the service takes")
    limit_operations = integer("most operations the service takes")
    fits = fields.Boolean(
        required=True, metadata={"description": "whether peak and operations are within the limits"}
    )
    network_id = fields.String(required=True, metadata=NETWORK_ID)


class CheckedPlace(Schema):
    index = sizes()
    gradient = number("by backpropagation")
    complex_step = number(
        "f(x + i·h).imag / h with h = 1e-200: exact for analytic layers; null behind a layer of orders 1",
        allow_none=True,
    )
    differences = number("(f(x + h) − f(x − h)) / 2h: coarse, and needs nothing from the layers")
    relative_difference = number(
        "to the complex step, relative to the array's largest gradient or 1; null without a complex step",
        allow_none=True,
    )
    relative_difference_to_differences = number("to central differences, likewise")


class CheckedArray(Schema):
    name = fields.String(required=True, metadata={"description": "params/…, data/… or deltas/…"})
    numbers = integer("in the array")
    checked = integer("places checked")
    passed = fields.Boolean(required=True)
    worst = fields.List(fields.Nested(CheckedPlace), required=True, metadata={"description": "worst first"})
    float32_difference = number("the largest, relative, between float32 and float64 at the same arguments")
    float32_allowed = number("how large it may be, by the condition of the gradients")


class CheckResponse(Computed):
    """Every array that was checked, with its worst places."""

    passed = fields.Boolean(required=True, metadata={"description": "all of them"})
    arrays = fields.List(fields.Nested(CheckedArray), required=True)
