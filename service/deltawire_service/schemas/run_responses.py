"""The answers of the routes of runs, for OpenAPI."""

from __future__ import annotations

from marshmallow import Schema, fields

from deltawire_service.schemas.model_responses import flag
from deltawire_service.schemas.responses import OptionalNumber, integer
from deltawire_service.schemas.responses import number as number_field


def optional(description: str) -> OptionalNumber:
    """Return the field for a number that may be null."""
    return OptionalNumber(required=True, metadata={"description": description})


class RunProblem(Schema):
    """Why a run has failed."""

    code = fields.String(required=True, metadata={"description": "as of a problem document, or trainer_died"})
    detail = fields.String(required=True)


class RunResponse(Schema):
    """A run."""

    id = fields.String(required=True)
    number = integer("runs are taken in the order of their numbers")
    model = fields.String(required=True, metadata={"description": "the model that learns"})
    recipe = fields.Dict(required=True, metadata={"description": "as it was sent, with every default"})
    state = fields.String(
        required=True,
        metadata={"description": "queued, running, paused, finished, failed or cancelled"},
    )
    problem = fields.Nested(
        RunProblem, required=True, allow_none=True, metadata={"description": "why it has failed; else null"}
    )
    ahead = optional("runs that are taken before it, where it is queued; else null")
    first_version = integer("the version of the model before the run")
    version = integer("the version that it has led to")
    steps = integer("steps that were taken")
    total_steps = integer("steps that it takes unless it stops early")
    seconds = number_field("how long they took, with validations and commits")
    examples_per_second = optional("rows that it learns from in a second; null before the first step")
    seconds_left = optional("an estimate; null before the first step, and where it does not go on")
    best_loss = optional("the smallest validation loss; null before the first")
    best_version = optional("the version that has it")


class RunChangeResponse(RunResponse):
    """A run that was made, paused, resumed or cancelled."""

    replayed = flag("whether an earlier request with this key has done it")


class RunListResponse(Schema):
    """The runs of the caller."""

    runs = fields.List(fields.Nested(RunResponse), required=True)
    next = fields.Integer(
        required=True, allow_none=True, metadata={"description": "`before` of the next page; null at the end"}
    )


class StepMetrics(Schema):
    """A step of a run."""

    version = integer("the version that it has led to")
    step = integer("optimizer steps that lead to it")
    loss = number_field("the reduced loss before the step")
    gradient_norm = number_field("√Σg² over all gradients, before clipping")
    learning_rate = number_field("that of this step")


class ValidationMetrics(Schema):
    """A validation of a run."""

    version = integer("the version that was validated")
    step = integer("optimizer steps that lead to it")
    loss = number_field("the mean of the examples' losses, without the regularization")


class RunMetricsResponse(Schema):
    """The losses of a run, in order."""

    steps = fields.List(fields.Nested(StepMetrics), required=True)
    validations = fields.List(fields.Nested(ValidationMetrics), required=True)
    next = integer("`since` of the next page, or of the next look")
