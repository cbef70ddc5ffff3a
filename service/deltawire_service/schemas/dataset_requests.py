"""The documents that name datasets: rows in place of a batch, and a file of the service's machine."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from deltawire_layers import config
from deltawire_service.schemas.request_fields import TensorsField


def row_field(description: str, least: int = 0, most: int = 2**62) -> fields.Field[Any]:
    """Return the field for the number of a row, or another whole number.

    Args:
        description: what it is.
        least: the smallest number that is taken.
        most: the largest one.
    """
    return config.Integer(
        load_default=None,
        allow_none=True,
        validate=validate.Range(min=least, max=most),
        metadata={"description": description},
    )


class RowsSchema(Schema):
    """Rows of a dataset: a range, indices, or places in the order of an epoch."""

    expected = 'an object such as {"start": 0, "stop": 100} or {"indices": [3, 1, 3]}'

    start = row_field("the first row; 0 by default")
    stop = row_field("the row after the last one; by default all rows to the end")
    indices = fields.Raw(
        load_default=None,
        metadata={"description": "in place of a range: integers from 0; order and repeats are kept"},
    )
    seed = row_field("of an epoch's order, in which the range counts then", most=2**64 - 1)
    epoch = row_field("with `seed`: the epoch, from 1; 1 by default", least=1)
    of = row_field("with `seed`: number of rows that the dataset must have; any by default")
    held_out = row_field("with `seed`: how many rows no step takes; 0 by default")


class RowsReferenceSchema(Schema):
    """Rows of a dataset in place of a batch."""

    expected = 'an object such as {"dataset": "digits", "rows": {"start": 0, "stop": 100}}'

    dataset = fields.String(required=True, metadata={"description": "the name of the dataset"})
    rows = fields.Nested(
        RowsSchema,
        load_default=lambda: RowsSchema().load({}),
        metadata={"description": "a range or indices; by default all rows"},
    )
    columns = fields.Dict(
        keys=fields.String(),
        load_default=dict,
        metadata={
            "description": "by input: a column, or a list of columns with a number in each row, which become "
            "the last axis; by default the column of the same name"
        },
    )


class DataField(TensorsField):
    """The data of a request: an object with a tensor under every name, or rows of a dataset."""

    expected = "an object of tensors, or rows of a dataset"


def names_dataset(data: Any) -> bool:
    """Return whether the data of a document are rows of a dataset. A tensor is never a string."""
    return isinstance(data, dict) and isinstance(data.get("dataset"), str)


class PathSchema(Schema):
    """A file of the service's machine."""

    expected = 'an object such as {"path": "/data/table.csv"}'

    path = fields.String(
        required=True,
        metadata={
            "description": "its path, below one of DELTAWIRE_DATASET_ROOTS; the end of its name says its type"
        },
    )
