"""The requests of /v1: a dataclass for the options of each route.

Networks, tensors and the seed of the noise are no options. The engine and `request_tensors` read them;
`parts` says which of them a route takes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from marshmallow import Schema, fields, validate

from deltawire import wire
from deltawire_layers import config
from deltawire_service.schemas.dataset_requests import DataField
from deltawire_service.schemas.request_fields import (
    MOST_NAMES,
    Choice,
    DiagonalSchema,
    DirectionField,
    Estimate,
    NoiseSeedField,
    SpecField,
    TensorsField,
    Wrt,
    WrtAllSchema,
    WrtSchema,
    choice_field,
    dtype_field,
    flag_field,
    nodes_field,
    required_nodes_field,
    wrt_field,
)


def option(field: fields.Field[Any]) -> Any:
    """Declare an option of a request, read with a field of marshmallow."""
    return dataclasses.field(metadata={"field": field})


def reduction() -> Any:
    """Declare how the losses of the examples become one."""
    return option(
        choice_field("mean", "of the examples' losses: divided by their number, or not", "mean", "sum")
    )


def non_finite() -> Any:
    """Declare what becomes of a result that is not finite."""
    return option(choice_field("error", "what becomes of a result that is not finite", "error", "return"))


def seed_field(**settings: Any) -> fields.Field[Any]:
    """Return the field for a seed. settings: of the field."""
    return config.Integer(
        validate=validate.Range(min=0, max=2**64 - 1),
        metadata={"description": "where the random streams start from"},
        **settings,
    )


@dataclasses.dataclass(frozen=True)
class Request:
    """The options of a request; `parts` are the fields that are none."""

    parts: ClassVar[Mapping[str, fields.Field[Any]]] = {}
    expected: ClassVar[str] = "an object"
    """The body, for whoever sends another."""


@dataclasses.dataclass(frozen=True)
class NetworkRequest(Request):
    """The options of every request for a network."""

    parts = {"network": SpecField(required=True, metadata={"description": "the spec"})}
    dtype: str = option(dtype_field())


@dataclasses.dataclass(frozen=True)
class TensorsRequest(NetworkRequest):
    """The options of every request that is answered with tensors."""

    tensors: str = option(choice_field("lists", "how the answer writes its tensors", *wire.TENSORS))


@dataclasses.dataclass(frozen=True)
class ComputeRequest(TensorsRequest):
    """The options of every request that computes with a network, its parameters and a batch."""

    expected = 'an object such as {"network": {…}, "params": {…}, "data": {"x": [[1, 2]]}}'
    parts = {
        **NetworkRequest.parts,
        "params": TensorsField(
            load_default=dict, metadata={"description": "a tensor for every parameter, by name"}
        ),
        "data": DataField(
            required=True, metadata={"description": "a tensor for every input, by name; or rows of a dataset"}
        ),
        "noise_seed": NoiseSeedField("they have their means"),
    }


@dataclasses.dataclass(frozen=True)
class GradientsRequest(ComputeRequest):
    """The options of POST /v1/gradients."""

    wrt: Wrt = option(wrt_field())
    reduction: str = reduction()
    losses: bool = option(flag_field("each example's loss too"))
    values: Sequence[str] = option(nodes_field("nodes whose values are wanted"))
    deltas: Sequence[str] = option(nodes_field("nodes whose deltas are wanted"))
    non_finite: str = non_finite()
    trace: bool = option(flag_field("every value, and every delta on its way, in the order of computation"))
    per_example: bool = option(flag_field("gradients of each example's own loss, (batch, shape)"))


@dataclasses.dataclass(frozen=True)
class ForwardRequest(ComputeRequest):
    """The options of POST /v1/forward."""

    values: Sequence[str] | None = option(
        config.Names(
            MOST_NAMES,
            load_default=None,
            allow_none=True,
            metadata={
                "description": "nodes whose values are wanted; null: those that a published network offers, "
                "or those that no other takes, as far as the data lead"
            },
        )
    )
    non_finite: str = non_finite()


@dataclasses.dataclass(frozen=True)
class VjpRequest(ComputeRequest):
    """The options of POST /v1/vjp."""

    parts = {
        **ComputeRequest.parts,
        "cotangents": TensorsField(
            required=True,
            metadata={
                "description": "by node, (batch, shape), or (count, batch, shape) for several products"
            },
        ),
    }
    wrt: Wrt = option(wrt_field())
    values: Sequence[str] = option(nodes_field("nodes whose values are wanted"))
    non_finite: str = non_finite()


@dataclasses.dataclass(frozen=True)
class JvpRequest(ComputeRequest):
    """The options of POST /v1/jvp."""

    parts = {
        **ComputeRequest.parts,
        "tangents": DirectionField(
            required=True, metadata={"description": "how parameters and inputs move; the others stay"}
        ),
    }
    outputs: Sequence[str] = option(required_nodes_field("nodes to differentiate"))
    non_finite: str = non_finite()


@dataclasses.dataclass(frozen=True)
class JacobianRequest(ComputeRequest):
    """The options of POST /v1/jacobian."""

    outputs: Sequence[str] = option(required_nodes_field("nodes to differentiate"))
    wrt: Wrt = option(wrt_field())
    mode: str | None = option(
        fields.String(
            load_default=None,
            allow_none=True,
            validate=Choice("reverse", "forward"),
            metadata={"description": "how it is computed; null: the cheaper mode"},
        )
    )
    non_finite: str = non_finite()


@dataclasses.dataclass(frozen=True)
class HvpRequest(ComputeRequest):
    """The options of POST /v1/hvp."""

    parts = {
        **ComputeRequest.parts,
        "vectors": DirectionField(
            load_default=None,
            metadata={"description": "what the Hessian is multiplied by; zero for what it does not name"},
        ),
        "cotangents": TensorsField(
            load_default=dict,
            metadata={"description": "by node, (batch, shape): their sum in place of the loss"},
        ),
    }
    wrt: Wrt | None = option(
        fields.Nested(
            WrtSchema,
            load_default=None,
            metadata={
                "description": "the rows wanted; default: those that vectors name, else all parameters"
            },
        )
    )
    reduction: str = reduction()
    quadratic: bool = option(flag_field("vᵀHv too"))
    diagonal: Estimate | None = option(
        fields.Nested(
            DiagonalSchema,
            load_default=None,
            metadata={"description": "estimate the Hessian's diagonal too"},
        )
    )
    non_finite: str = non_finite()


@dataclasses.dataclass(frozen=True)
class CheckRequest(ComputeRequest):
    """The options of POST /v1/check."""

    wrt: Wrt = option(wrt_field(WrtAllSchema))
    deltas: Sequence[str] = option(nodes_field("nodes whose deltas are checked too, by moving their values"))
    reduction: str = reduction()
    samples: int = option(
        config.Integer(
            load_default=10,
            validate=validate.Range(min=1, max=1000),
            metadata={
                "description": "most places checked in each array; every place costs three forward passes"
            },
        )
    )


@dataclasses.dataclass(frozen=True)
class PlanRequest(TensorsRequest):
    """The options of POST /v1/plan."""

    batch: int = option(
        config.Integer(
            load_default=1,
            validate=validate.Range(min=1, max=2**30),
            metadata={"description": "examples in the batch"},
        )
    )
    wrt: Wrt = option(wrt_field())
    values: Sequence[str] = option(nodes_field("nodes whose values are wanted"))
    deltas: Sequence[str] = option(nodes_field("nodes whose deltas are wanted"))
    media_type: str = option(
        choice_field(wire.JSON, "of the request's body and of its answer's", *wire.MEDIA_TYPES)
    )


@dataclasses.dataclass(frozen=True)
class InitRequest(TensorsRequest):
    """The options of POST /v1/init."""

    seed: int = option(seed_field(load_default=0))


def schema_of(request: type[Request]) -> type[Schema]:
    """Return the schema of a route's whole body: its parts and its options."""
    options = {each.name: each.metadata["field"] for each in dataclasses.fields(request)}
    schema = Schema.from_dict({**request.parts, **options}, name=request.__name__)
    schema.expected = request.expected  # type: ignore[attr-defined]
    return schema
