"""The answers of the routes of datasets, for OpenAPI."""

from __future__ import annotations

from marshmallow import Schema, fields

from deltawire_service.schemas.model_responses import flag
from deltawire_service.schemas.responses import OptionalNumber, integer, sizes


def statistic(description: str) -> OptionalNumber:
    return OptionalNumber(required=True, metadata={"description": f"{description}; null where there is none"})


class DatasetColumn(Schema):
    """A column. Its statistics are over all finite numbers of all rows."""

    name = fields.String(required=True)
    dtype = fields.String(required=True, metadata={"description": "float32, float64 or int64"})
    shape = sizes()
    missing = integer("cells that were empty: NaN among numbers, the category '' among texts")
    categories = fields.List(
        fields.String(), metadata={"description": "the texts that the integers stand for, from 0 on"}
    )
    min = statistic("the least number")
    max = statistic("the largest")
    mean = statistic("the mean")
    std = statistic("the standard deviation, √(Σ(x − mean)²/n)")
    non_finite = integer("numbers that are NaN or infinite")
    distinct = fields.Integer(
        metadata={"description": "different integers, where there are at most 256 of them"}
    )


class DatasetEntry(Schema):
    """The entry of a dataset in the list."""

    name = fields.String(required=True)
    dataset_id = fields.String(
        required=True, metadata={"description": "SHA-256 of its file: equal columns have equal ones"}
    )
    rows = integer("number of its rows")
    bytes = integer("the length of its file")


class DatasetResponse(DatasetEntry):
    """A dataset."""

    columns = fields.List(fields.Nested(DatasetColumn), required=True)


class PutDatasetResponse(DatasetResponse):
    """A dataset that is there now."""

    unchanged = flag("whether the same dataset was there before")
    replayed = flag("whether an earlier request with this key has made it")


class DatasetListResponse(Schema):
    """The datasets of the caller."""

    datasets = fields.List(fields.Nested(DatasetEntry), required=True)
    next = fields.String(
        required=True, allow_none=True, metadata={"description": "`after` of the next page; null at the end"}
    )


class DatasetDeletionResponse(Schema):
    """A dataset that is gone."""

    name = fields.String(required=True)
    dataset_id = fields.String(required=True)
    replayed = flag("whether an earlier request with this key has deleted it")
