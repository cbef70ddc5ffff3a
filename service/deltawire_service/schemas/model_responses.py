"""The answers of the routes of models and optimizers, for OpenAPI."""

from __future__ import annotations

from marshmallow import INCLUDE, Schema, fields

from deltawire_service.schemas.responses import (
    NETWORK_ID,
    GradientsOf,
    OptionalNumber,
    PlannedParameter,
    Tensor,
    integer,
    named_tensors,
    number,
)

PARAMS_ID = {"description": "SHA-256 of the parameters, in hex: equal parameters have equal ones"}


def flag(description: str) -> fields.Boolean:
    return fields.Boolean(required=True, metadata={"description": description})


class ChangeResponse(Schema):
    """A change of a model."""

    version = integer("the new version")
    step = integer("optimizer steps that lead to it")
    durable = flag("whether it survives a loss of power")
    replayed = flag("whether an earlier request with this key has made it")


class RestoreResponse(ChangeResponse):
    """A model that is back at an earlier version."""

    params_id = fields.String(required=True, metadata=PARAMS_ID)


class CreationResponse(Schema):
    """A new model."""

    name = fields.String(required=True)
    version = integer("0")
    step = integer("optimizer steps that lead to it")
    params_id = fields.String(required=True, metadata=PARAMS_ID)
    network_id = fields.String(required=True, metadata=NETWORK_ID)
    replayed = flag("whether an earlier request with this key has made it")


class DeletionResponse(Schema):
    """A model that is gone."""

    name = fields.String(required=True)
    version = integer("its last version")
    replayed = flag("whether an earlier request with this key has deleted it")


class StepResponse(ChangeResponse):
    """A step that was taken."""

    loss = OptionalNumber(
        required=True,
        metadata={"description": "the reduced loss before the step; null where the request had gradients"},
    )
    gradient_norm = number("√Σg² over all gradients, before clipping")
    learning_rate = number("that of this step")
    gradients = fields.Nested(GradientsOf, metadata={"description": "those that the request wants"})
    values = named_tensors("values of the nodes named, (batch, *shape)", required=False)
    deltas = named_tensors("deltas of the nodes named, (batch, *shape)", required=False)
    losses = Tensor(metadata={"description": "each example's loss, (batch,)"})


class ModelVersion(Schema):
    name = fields.String(required=True)
    version = integer("the version that was computed with")
    step = integer("optimizer steps that lead to it")


class ModelOfAnswer(Schema):
    """The model that an answer with numbers comes from."""

    model = fields.Nested(ModelVersion, required=True)


class ModelEntry(Schema):
    """The entry of a model in the list."""

    name = fields.String(required=True)
    network_id = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": f"{NETWORK_ID['description']}; null while a layer is not installed"},
    )
    unusable = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "the layer or the optimizer that is not installed any more, in a sentence: "
            "until it is, the model takes no step; null where all are"
        },
    )
    dtype = fields.String(required=True, metadata={"description": "of its parameters and its state"})
    lineage = fields.String(
        required=True, metadata={"description": "random: equal lineage and version, equal bits"}
    )
    version = integer("the newest version")
    earliest_version = integer("the earliest version that can be computed")
    durable = flag("whether the newest version survives a loss of power")
    step = integer("optimizer steps that lead to it")
    loss = OptionalNumber(
        required=True,
        metadata={"description": "the loss of the step that made the newest version; null where no step did"},
    )
    optimizer = fields.Dict(required=True, metadata={"description": "kind, config, schedule and clip"})
    bytes = fields.Integer(
        required=True,
        allow_none=True,
        metadata={
            "description": "its parameters and its optimizer state; null where "
            "a layer or the optimizer is not installed, and its newest snapshot cannot be read"
        },
    )


class ModelResponse(ModelEntry):
    """A model."""

    network = fields.Dict(required=True, metadata={"description": "the spec"})
    parameters = fields.List(fields.Nested(PlannedParameter), required=True)


class ModelListResponse(Schema):
    """The models of the caller."""

    models = fields.List(fields.Nested(ModelEntry), required=True)
    next = fields.String(
        required=True, allow_none=True, metadata={"description": "`after` of the next page; null at the end"}
    )


class LedgerEntry(Schema):
    """An entry of a ledger, with the details of its kind beside these."""

    class Meta:
        unknown = INCLUDE

    version = integer("the version")
    kind = fields.String(
        required=True, metadata={"description": "created, step, hyperparameters, restored, rebased or lost"}
    )
    step = integer("optimizer steps that lead to it")


class LedgerResponse(Schema):
    """Entries of a ledger, with the details of each kind."""

    entries = fields.List(fields.Nested(LedgerEntry), required=True)
    next = fields.Integer(
        required=True, allow_none=True, metadata={"description": "`after` of the next page; null at the end"}
    )


class Origin(Schema):
    """The version that numbers come from."""

    model = fields.String(required=True)
    version = integer("the version")
    step = integer("optimizer steps that lead to it")
    lineage = fields.String(required=True)
    params_id = fields.String(required=True, metadata=PARAMS_ID)


class ModelParamsResponse(Schema):
    """The parameters of a version: a saved request, which can be published as it is."""

    network = fields.Dict(required=True, metadata={"description": "the spec"})
    params = named_tensors("by the parameters' names")
    data = named_tensors("the constants, where the network has some", required=False)
    origin = fields.Nested(Origin, required=True)


class ModelOptimizerResponse(Schema):
    """The optimizer of a version, with its state."""

    optimizer = fields.Dict(required=True, metadata={"description": "kind, config, schedule and clip"})
    state = named_tensors("by parameter and name: `hidden.weight.exp_avg`")
    origin = fields.Nested(Origin, required=True)


class OptimizerStateArray(Schema):
    name = fields.String(required=True)
    start = fields.Float(required=True, metadata={"description": "the number it is filled with at first"})


class OptimizerResponse(Schema):
    """The entry of an optimizer in the catalogue."""

    kind = fields.String(required=True)
    summary = fields.String(required=True)
    config = fields.Dict(required=True, metadata={"description": "JSON Schema of its config"})
    state = fields.List(
        fields.Nested(OptimizerStateArray),
        required=True,
        metadata={"description": "the arrays kept for a matrix, with the default config"},
    )
    distribution = fields.String(required=True, metadata={"description": "where it comes from"})
    formula = fields.String(metadata={"description": "the rule in LaTeX"})


class ScheduleResponse(Schema):
    kind = fields.String(required=True)
    summary = fields.String(required=True)
    config = fields.Dict(required=True, metadata={"description": "JSON Schema of its numbers"})


class OptimizersResponse(Schema):
    """The installed optimizers, and the schedules of the learning rate."""

    optimizers = fields.List(fields.Nested(OptimizerResponse), required=True)
    schedules = fields.List(fields.Nested(ScheduleResponse), required=True)
