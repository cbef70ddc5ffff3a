"""The spec: read the JSON of a network and fill in its defaults, without knowing any layer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isfinite, prod
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from deltawire.errors import Fault, Refused
from deltawire_layers import config
from deltawire_plugins.shown import shown
from deltawire_service.engine.limits import Limits
from deltawire_service.faults import Coded, Faults, load

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}\Z")
RESERVED = frozenset({"params", "data"})
DTYPES = ("float", "int64")

LARGEST_DRAWN = 1e37
"""Bound on the spread of numbers that are drawn: nine standard deviations of it fit in float32."""


def valid_name(name: str) -> None:
    """Raise ValidationError unless a name may be that of an input or a node."""
    if not NAME.match(name):
        rule = "letters, digits and _, not starting with a digit, at most 64"
        raise ValidationError([Coded("name_invalid", f"{shown(name)} is no name: {rule}")])
    if name in RESERVED:
        raise ValidationError([Coded("name_reserved", f"'{name}' is reserved: choose another name")])


class InputDtype(validate.OneOf):
    """The dtype of an input."""

    def __call__(self, value: Any) -> Any:
        if value not in self.choices:
            message = f"expected 'float' (the dtype of the request) or 'int64', got {shown(value)}"
            raise ValidationError([Coded("dtype_unsupported", message)])
        return value


class ShapeField(fields.List[int]):
    """The sizes of an example's axes: whole numbers of at least 1."""

    expected = "a list of whole numbers of at least 1"

    def __init__(self, **kwargs: Any):
        super().__init__(config.Integer(validate=validate.Range(min=1)), **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> list[int | None]:
        if not isinstance(value, list) or not all(type(size) is int and size >= 1 for size in value):
            message = f"expected {self.expected}, got {shown(value)}"
            raise ValidationError([Coded("shape_invalid", message)])
        return value


class OneOfSchema(Schema):
    """An object with one of several keys."""

    @validates_schema
    def _exactly_one(self, data: dict[str, float], **_: Any) -> None:
        if len(data) != 1:
            raise ValidationError(f"expected one of {', '.join(self.fields)}, got {len(data)} of them")


def spread_field(description: str) -> fields.Field[Any]:
    """Return the field for how far drawn numbers spread."""
    return config.Number(
        validate=validate.Range(min=0, max=LARGEST_DRAWN), metadata={"description": description}
    )


NORMAL, UNIFORM = "standard deviation of a normal distribution", "bound: from −bound up to bound"


class LearnedSchema(OneOfSchema):
    """How the first numbers of a learned input are drawn: one of these."""

    expected = 'an object such as {"normal": 0.02}'

    normal = spread_field(NORMAL)
    uniform = spread_field(UNIFORM)
    constant = config.Number(
        validate=validate.Range(min=-LARGEST_DRAWN, max=LARGEST_DRAWN),
        metadata={"description": "every number"},
    )


class NoiseSchema(OneOfSchema):
    """How the numbers of a noise input are drawn for each example: one of these."""

    expected = 'an object such as {"dropout": 0.5}'

    normal = spread_field(NORMAL)
    uniform = spread_field(UNIFORM)
    dropout = config.Number(
        validate=validate.Range(min=0, max=1, max_inclusive=False),
        metadata={"description": "share p of zeros; the other numbers are 1 / (1 − p)"},
    )


NOT_SENT: Mapping[str, tuple[str, str]] = {
    "parameter": ("integers are not learned", "a learned input is the same for every example"),
    "noise": ("no integers are drawn", "noise is drawn for each example"),
}
"""What is wrong with integers, and with a shared input, that are learned or drawn."""


class InputSchema(Schema):
    """An input of the network: the shape of one example, without the batch axis."""

    expected = 'an object such as {"shape": [4]}'

    shape = ShapeField(
        required=True, metadata={"description": "sizes of one example's axes; [] for a single number"}
    )
    dtype = fields.String(
        load_default="float",
        validate=InputDtype(DTYPES),
    )
    shared = config.Flag(
        load_default=False,
        metadata={"description": "sent without a batch axis, the same for every example"},
    )
    parameter = fields.Nested(
        LearnedSchema,
        metadata={"description": "a learned array, the same for every example: kept in params, not in data"},
    )
    constant = config.Flag(
        load_default=False,
        metadata={
            "description": "a model keeps its numbers, which come when the model is made; it is shared"
        },
    )
    noise = fields.Nested(
        NoiseSchema,
        metadata={"description": "drawn for each example from the noise_seed of the request: not in data"},
    )

    @validates_schema
    def _sent_learned_or_drawn(self, data: dict[str, Any], **_: Any) -> None:
        if "parameter" in data and "noise" in data:
            message = "an input is learned or drawn: leave out noise, or parameter"
            raise ValidationError({"noise": [message]})
        if data.get("constant") and not data.get("shared"):
            message = "a constant is the same for every example, and sent: give it shared, true"
            raise ValidationError({"constant": [message]})
        for key, (integers, shared) in NOT_SENT.items():
            if key in data and data.get("dtype") == "int64":
                raise ValidationError({"dtype": [Coded("dtype_unsupported", integers)]})
            if key in data and data.get("shared"):
                raise ValidationError({"shared": [f"{shared}: leave out shared, or {key}"]})


class InputsField(fields.Dict):
    """The inputs of a network by name."""

    expected = 'an object such as {"x": {"shape": [4]}}'


class NodeSchema(Schema):
    """A node: a layer kind at a place in the network."""

    expected = 'an object such as {"kind": "relu"}'

    kind = fields.String(
        required=True, metadata={"description": "registered name of the layer, as GET /v1/layers lists it"}
    )
    name = fields.String(
        validate=valid_name, metadata={"description": "default: the kind and a running number"}
    )
    inputs = config.Names(metadata={"description": "default, for a layer of one input: the node before"})
    transpose = config.Flag(
        load_default=False,
        metadata={"description": "whether it shares the matrices alone, transposed; needs tied_to"},
    )
    config = fields.Dict(keys=fields.String(), load_default=dict)
    tied_to = fields.String(metadata={"description": "node whose parameters this one shares"})

    @validates_schema
    def _transposes_a_tie(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("transpose") and "tied_to" not in data:
            message = "a node transposes the matrices of another one: name it in tied_to"
            raise ValidationError({"transpose": [Coded("tie_invalid", message)]})


class RegularizationSchema(Schema):
    """(λ/2)·ΣW² added once to the reduced loss, λW to the gradient."""

    expected = 'an object such as {"l2": 0.001}'

    l2 = config.Number(required=True, validate=validate.Range(min=0), metadata={"description": "λ"})
    parameters = config.Names(metadata={"description": "globs; default: *.weight"})


class LossField(fields.Field[Any]):
    """The name of a node of shape (), or an object of such names and their weights."""

    expected = "a node's name or an object of names and weights"

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> dict[str, float]:
        if isinstance(value, str):
            return {value: 1.0}
        numbers = isinstance(value, dict) and all(type(weight) in (int, float) for weight in value.values())
        if not numbers or not value or not all(isfinite(weight) for weight in value.values()):
            message = f"expected {self.expected}, got {shown(value)}"
            raise ValidationError([Coded("loss_invalid", message)])
        return {name: float(weight) for name, weight in value.items()}


class NetworkSchema(Schema):
    """A network: the graph of its nodes, with its inputs and its loss."""

    expected = 'a spec, an object with inputs and nodes, or {"name": …} of a published network'

    version = config.Integer(load_default=1, validate=validate.Equal(1))
    inputs = InputsField(
        keys=fields.String(validate=valid_name), values=fields.Nested(InputSchema), required=True
    )
    nodes = fields.List(fields.Nested(NodeSchema), required=True, validate=validate.Length(min=1))
    loss = LossField(metadata={"description": "default: the last node"})
    regularization = fields.Nested(RegularizationSchema)
    metadata = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        metadata={"description": "the caller's own notes: strings by name, which change nothing"},
    )


NETWORK = NetworkSchema()
"""Made once: making it takes longer than reading a small network, and leaves reference cycles."""


def read_spec(spec: Any, limits: Limits) -> dict[str, Any]:
    """Read a spec, and fill in names, input dtypes and configs.

    Raises Refused with every fault that shows without knowing the layers; pointers are relative to the spec.
    """
    for part, kind in (("nodes", list), ("inputs", Mapping)):
        entries = spec.get(part) if isinstance(spec, Mapping) else None
        # Before the schema, where a long list takes seconds.
        if isinstance(entries, kind) and len(entries) > limits.nodes:
            detail = f"{len(entries)} {part}, at most {limits.nodes} are allowed{limits.setting('nodes')}"
            raise Refused([Fault(f"/{part}", "too_many_nodes", detail)])
    read = load(NETWORK, spec)
    for entry in read["inputs"].values():
        if not entry["constant"]:
            del entry["constant"]  # as specs had it before there were constants: the same id
    oversized = (_oversized(name, input_spec["shape"], limits) for name, input_spec in read["inputs"].items())
    faults = Faults(fault for fault in oversized if fault)
    faults += _name_nodes(read)
    faults.refuse()
    return read


def _oversized(name: str, shape: list[int], limits: Limits) -> Fault | None:
    if len(shape) >= limits.rank:
        most = f"at most {limits.rank} axes are allowed{limits.setting('rank')}"
        detail = f"{len(shape)} axes and the batch, {most}"
    elif prod(shape) > limits.elements:
        most = f"at most {limits.elements} are allowed{limits.setting('elements')}"
        detail = f"{prod(shape)} numbers in one example, {most}"
    else:
        return None
    return Fault(f"/inputs/{name}/shape", "shape_too_large", detail)


def _name_nodes(read: dict[str, Any]) -> Faults:
    """Name every node that has no name: its kind and a running number. Inputs and nodes share a namespace."""
    faults = Faults()
    taken = set(read["inputs"])
    for place, node in enumerate(read["nodes"]):
        if (name := node.get("name")) in taken:
            owner = "an input" if name in read["inputs"] else "another node"
            detail = f"'{name}' is already the name of {owner}"
            faults.append(Fault(f"/nodes/{place}/name", "duplicate_name", detail))
        elif name:
            taken.add(name)
    running: dict[str, int] = {}
    for node in read["nodes"]:
        while "name" not in node:
            running[node["kind"]] = running.get(node["kind"], 0) + 1
            if (name := f"{node['kind']}{running[node['kind']]}") not in taken:
                node["name"] = name
                taken.add(name)
    return faults
