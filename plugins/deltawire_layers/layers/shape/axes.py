"""Config of the axes of an example."""

from __future__ import annotations

from marshmallow import Schema

from deltawire_plugins import config


class AxisConfig(Schema):
    axis = config.Integer(
        load_default=-1,
        metadata={"description": "axis of the example; negative counts from the last"},
    )


class AxesConfig(Schema):
    axes = config.Integers(
        load_default=None,
        allow_none=True,
        metadata={"description": "axes of the example; null: all of them"},
    )
