"""Where the network and the parameters of a request come from: its body, or a published network."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, NamedTuple, Protocol

from marshmallow import Schema
from marshmallow.fields import Field

from deltawire.wire import Array
from deltawire_service.networks.interfaces import default_data
from deltawire_service.networks.published import PublishedNetworks
from deltawire_service.schemas.dataset_requests import names_dataset


class Resolved(NamedTuple):
    """The document of a request, with the network and the parameters that it names in place."""

    document: Any
    origin: Mapping[str, Any]
    """What the answer says of them: `params_id`, or `model`."""
    stored: bool = False
    """The service has the parameters: they are in no body."""
    pinned: Mapping[str, Array] = {}
    """Shared inputs that the service has, for requests that take rows of a dataset."""

    def with_part(self, name: str, part: Any) -> Resolved:
        """Return the same with another part of the document, `data` for example."""
        return self._replace(document={**self.document, name: part})


class Source(Protocol):
    """Completes the documents of a route."""

    codes: frozenset[str]
    """The codes of the problems with what a document names."""

    def request_schema(self, schema: type[Schema]) -> type[Schema]:
        """Return the schema of the documents that come, given that of complete ones."""

    def response_schema(self, schema: type[Schema]) -> type[Schema]:
        """Return the schema of the answers, given that of answers without an origin."""

    def open(self, document: Any, fields: Mapping[str, Field[Any]], held: ExitStack, **path: str) -> Resolved:
        """Return the complete document. Its arrays may be used until what is held is closed.

        Args:
            document: the body of a request, as parsed. It is not changed.
            fields: the fields that a complete document may have.
            held: gets what has to be open meanwhile.
            **path: the parts of the route's path that vary.

        Raises:
            Refused, ServiceError: the document names nothing that there is.
        """


class BodySource(Source):
    """Takes the network of the body, or the published one that the body names."""

    codes = frozenset({"network_not_found"})

    def __init__(self, published: PublishedNetworks):
        self._published = published

    def request_schema(self, schema: type[Schema]) -> type[Schema]:
        return schema

    def response_schema(self, schema: type[Schema]) -> type[Schema]:
        return schema

    def open(self, document: Any, fields: Mapping[str, Field[Any]], held: ExitStack, **path: str) -> Resolved:
        complete, params_id = self._published.resolve(document, fields)
        pinned: dict[str, Array] = {}
        if complete is not document and names_dataset(document.get("data")):
            pinned = default_data(self._published.find(document["network"]["name"]), batch=True)
        if params_id is None:
            return Resolved(complete, {}, pinned=pinned)
        return Resolved(complete, {"params_id": params_id}, stored=True, pinned=pinned)
