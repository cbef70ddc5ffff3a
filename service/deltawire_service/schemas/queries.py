"""The queries of routes: what stands behind the question mark of a URL, where everything is text."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import Schema, fields, validate

from deltawire_layers import config

WHOLE = re.compile(r"-?[0-9]{1,19}\Z", re.ASCII)


class WholeNumber(config.Integer):
    """A whole number, written as text."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int:
        if isinstance(value, str) and WHOLE.match(value):
            value = int(value)
        return super()._deserialize(value, *args, **kwargs)


class PageQuery(Schema):
    """Which part of a list is asked for."""

    limit = WholeNumber(
        load_default=100,
        validate=validate.Range(min=1, max=1000),
        metadata={"description": "entries on a page"},
    )


class ModelsQuery(PageQuery):
    """Which models are listed."""

    after = fields.String(load_default="", metadata={"description": "the name that the page follows"})


class LedgerQuery(PageQuery):
    """Which entries of a ledger are listed."""

    after = WholeNumber(
        load_default=-1,
        validate=validate.Range(min=-1, max=2**62),
        metadata={"description": "the version that the page follows"},
    )


class VersionQuery(Schema):
    """Which version of a model is meant."""

    version = WholeNumber(
        load_default=None,
        validate=validate.Range(min=0, max=2**62),
        metadata={"description": "the version; the newest by default"},
    )
