"""The queries of routes: what stands behind the question mark of a URL, where everything is text."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import Schema, fields, validate
from werkzeug.datastructures import MultiDict

from deltawire.errors import Fault
from deltawire_layers import config
from deltawire_plugins import LANGUAGE
from deltawire_service.faults import Faults, escape, load

WHOLE = re.compile(r"-?[0-9]{1,19}\Z", re.ASCII)


class WholeNumber(config.Integer):
    """A whole number, written as text."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int:
        if isinstance(value, str) and WHOLE.match(value):
            value = int(value)
        return super()._deserialize(value, *args, **kwargs)


class PageQuery(Schema):
    """The part of a list that is asked for."""

    limit = WholeNumber(
        load_default=100,
        validate=validate.Range(min=1, max=1000),
        metadata={"description": "entries on a page"},
    )


class ModelsQuery(PageQuery):
    """The models that are listed."""

    after = fields.String(load_default="", metadata={"description": "the name that the page follows"})
    contains = fields.String(
        load_default="", metadata={"description": "a part of their names, in small or capital letters"}
    )


class DatasetsQuery(PageQuery):
    """The datasets that are listed."""

    after = fields.String(load_default="", metadata={"description": "the name that the page follows"})


class PutDatasetQuery(Schema):
    """How the table of a dataset is read."""

    texts = fields.String(
        load_default="",
        metadata={
            "description": "names of columns of a CSV whose cells are texts, whatever they look like: `a,b`, "
            "written as in its header"
        },
    )


class DeleteDatasetQuery(Schema):
    """When a dataset is deleted."""

    uploads = WholeNumber(
        load_default=None,
        validate=validate.Range(min=1, max=2**62),
        metadata={
            "description": "only if no more requests than that have uploaded it; by default any number"
        },
    )


class LedgerQuery(PageQuery):
    """The entries of a ledger that are listed."""

    after = WholeNumber(
        load_default=-1,
        validate=validate.Range(min=-1, max=2**62),
        metadata={"description": "the version that the page follows"},
    )


class RunsQuery(PageQuery):
    """The runs that are listed."""

    before = WholeNumber(
        load_default=2**62,
        validate=validate.Range(min=0, max=2**62),
        metadata={"description": "the number of the run that the page follows"},
    )
    model = fields.String(
        load_default=None, metadata={"description": "the model whose runs are meant; by default all"}
    )
    contains = fields.String(
        load_default="",
        metadata={"description": "a part of their models' names, in small or capital letters"},
    )
    open = fields.Boolean(
        load_default=None,
        truthy={"true"},
        falsy={"false"},
        metadata={"description": "true: those that have not ended; false: those that have; by default all"},
    )


class MetricsQuery(PageQuery):
    """The metrics of a run that are listed."""

    since = WholeNumber(
        load_default=-1,
        validate=validate.Range(min=-1, max=2**62),
        metadata={"description": "the version that they follow"},
    )


class VersionQuery(Schema):
    """The version of a model that is meant."""

    version = WholeNumber(
        validate=validate.Range(min=0, max=2**62),
        metadata={"description": "the version; the newest by default"},
    )


class LanguageQuery(Schema):
    """The language of texts."""

    lang = fields.String(
        validate=validate.Regexp(LANGUAGE, error="Send the code of a language, such as ko or pt-BR."),
        metadata={"description": "adds the texts that are translated into this language: ko"},
    )


def read_query(schema: Schema, query: MultiDict[str, str]) -> dict[str, Any]:
    """Read a query with a schema.

    Args:
        schema: the schema; names that it does not have are errors.
        query: the texts by name.

    Raises:
        Refused: the query does not fit, or has a name twice.
    """
    faults = Faults()
    for name, texts in query.lists():
        if len(texts) > 1:
            faults.append(Fault(f"/{escape(name)}", "field_invalid", f"expected one value, got {len(texts)}"))
    faults.refuse()
    return load(schema, query.to_dict())
