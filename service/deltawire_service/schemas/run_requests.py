"""The requests of the routes of runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from deltawire_layers import config
from deltawire_service.schemas.model_requests import ObjectField
from deltawire_service.schemas.request_fields import flag_field
from deltawire_service.schemas.requests import Request, option, reduction, seed_field

COUNT = validate.Range(min=1, max=10**12)


def count_field(description: str, default: int | None = None) -> fields.Field[Any]:
    """Return the field for a number of things, at least 1; default: the number where it is missing."""
    return config.Integer(
        load_default=default,
        allow_none=default is None,
        validate=COUNT,
        metadata={"description": description},
    )


@dataclass(frozen=True)
class ValidationRecipe:
    """How a run is validated.

    Attributes:
        dataset: the name of the dataset that it is validated with; None for rows of its own.
        fraction: the share of the rows that are held out for it; None for all rows of another dataset.
        every: steps from one validation to the next; None for once an epoch.
    """

    dataset: str | None
    fraction: float | None
    every: int | None


@dataclass(frozen=True)
class EarlyStopping:
    """When a run ends before its last step.

    Attributes:
        patience: misses in a row; then it ends.
        min_delta: a loss that is not smaller than the smallest before by more than this is a miss.
        restore_best: the model goes back to its best version at the end.
    """

    patience: int
    min_delta: float
    restore_best: bool


class ValidationSchema(Schema):
    """The rows that a run is validated with: those of another dataset, or a fraction of its own."""

    expected = 'an object such as {"fraction": 0.1} or {"dataset": "digits-test"}'

    dataset = fields.String(
        load_default=None, allow_none=True, metadata={"description": "a dataset: all of its rows"}
    )
    fraction = config.Number(
        load_default=None,
        allow_none=True,
        validate=validate.Range(min=0, max=1, min_inclusive=False, max_inclusive=False),
        metadata={"description": "in place of a dataset: the share of rows that the run does not learn from"},
    )
    every = count_field("steps from one validation to the next; null for the end of each epoch")

    @validates_schema(skip_on_field_errors=True)
    def check(self, loaded: dict[str, Any], **_: Any) -> None:
        if (loaded["dataset"] is None) == (loaded["fraction"] is None):
            raise ValidationError("expected a dataset or a fraction, one of both", "dataset")

    @post_load
    def make(self, loaded: dict[str, Any], **_: Any) -> ValidationRecipe:
        return ValidationRecipe(**loaded)


class EarlyStoppingSchema(Schema):
    """When a run ends before its last step."""

    expected = 'an object such as {"patience": 3}'

    patience = config.Integer(
        required=True,
        validate=COUNT,
        metadata={"description": "misses in a row; then it ends"},
    )
    min_delta = config.Number(
        load_default=0.0,
        validate=validate.Range(min=0),
        metadata={
            "description": "a loss not smaller than the smallest one before by more than this is a miss"
        },
    )
    restore_best = flag_field("the model goes back to its best version at the end", True)

    @post_load
    def make(self, loaded: dict[str, Any], **_: Any) -> EarlyStopping:
        return EarlyStopping(**loaded)


@dataclass(frozen=True)
class Recipe(Request):
    """The options of POST /v1/models/{name}/runs: how a model learns from a dataset."""

    dataset: str = option(
        fields.String(required=True, metadata={"description": "the name of the dataset to learn from"})
    )
    columns: Mapping[str, Any] = option(
        ObjectField(
            '{"x": ["age", "height"], "y": "weight"}',
            "by input: a column, or a list of columns with a number in each row; by default the column of "
            "the same name",
            keys=fields.String(),
            load_default=dict,
        )
    )
    epochs: int | None = option(count_field("how often all rows are taken; one epoch by default"))
    steps: int | None = option(count_field("in place of epochs: how many steps are taken"))
    batch_size: int = option(count_field("rows of a step; the last one of an epoch may have fewer", 32))
    shuffle: bool = option(flag_field("each epoch takes the rows in another order", True))
    seed: int = option(seed_field(load_default=0))
    reduction: str = reduction()
    schedule: Mapping[str, Any] | None = option(
        ObjectField(
            '{"kind": "cosine", "T_max": 1000}',
            "a schedule of the learning rate, counted from the first step of the run; null for that of the "
            "model",
            load_default=None,
            allow_none=True,
        )
    )
    clip: Mapping[str, Any] | None = option(
        ObjectField(
            '{"norm": 1.0}',
            "bounds on the gradients; null for those of the model",
            load_default=None,
            allow_none=True,
        )
    )
    validation: ValidationRecipe | None = option(
        fields.Nested(
            ValidationSchema,
            load_default=None,
            allow_none=True,
            metadata={"description": "rows that show how well the model does on what it does not learn from"},
        )
    )
    early_stopping: EarlyStopping | None = option(
        fields.Nested(
            EarlyStoppingSchema,
            load_default=None,
            allow_none=True,
            metadata={"description": "end when validations get no better"},
        )
    )
