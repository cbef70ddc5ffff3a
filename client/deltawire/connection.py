"""Calls of a service: a document out, a document back, over any transport."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import uuid4

from deltawire import wire
from deltawire.errors import DeltawireError, Fault, Refused, ServiceFailed, failure
from deltawire.retries import Retries
from deltawire.transport import Request, Response, Transport

RESPONSE_LIMITS = wire.Limits(
    depth=64, members=2**62, lists=2**62, rank=64, elements=2**62, tensors=2**20, tensor_header_bytes=2**27
)
"""Bounds on responses. The service limits requests; the client trusts the service that it calls."""

LARGEST_HEADER = wire.DEFAULT.tensor_header_bytes
"""Bytes of a binary body's header that services read; the spec of a large network has more."""

T = TypeVar("T")


class Connection:
    """Encodes documents, sends them through a transport, repeats calls, and decodes the responses."""

    def __init__(self, transport: Transport, retries: Retries, media_type: str):
        """Check the arguments; nothing is sent yet.

        Args:
            transport: Carries the requests.
            retries: How often a call is repeated.
            media_type: Of bodies with tensors, one of `wire.MEDIA_TYPES`.

        Raises:
            TypeError: `retries` is not a `Retries`.
            ValueError: The media type is unknown.
        """
        if media_type not in wire.MEDIA_TYPES:
            raise ValueError(f"media_type: expected one of {', '.join(wire.MEDIA_TYPES)}, got {media_type!r}")
        if not isinstance(retries, Retries):
            raise TypeError(f"retries: expected Retries, as in Retries(attempts=3), got {retries!r}")
        self.transport = transport
        self.media_type = media_type
        self._retries = retries

    def get(self, path: str, read: Callable[[Any], T]) -> T:
        """GET a path and return `read` of the JSON document that comes back; raises as `post` does."""
        return self._call("GET", path, None, read, wire.JSON, wire.JSON)

    def post(
        self,
        path: str,
        document: Any,
        read: Callable[[Any], T],
        *,
        sends: str | None = None,
        accepts: str | None = None,
    ) -> T:
        """POST a document and return `read` of the document that comes back.

        Args:
            path: Of the route, `/v1/gradients`.
            document: Objects, lists and numbers, with arrays at some leaves.
            read: Makes the result. Whatever it raises counts as an invalid response.
            sends: Media type of the request; by default the connection's.
            accepts: Media type of the response; by default the connection's.

        Raises:
            Refused: The request is wrong.
            Unreachable: No response came.
            ServiceFailed: The service failed, or the response is not one of a deltawire service.
        """
        return self._call("POST", path, document, read, sends or self.media_type, accepts or self.media_type)

    def _call(
        self, method: str, path: str, document: Any, read: Callable[[Any], T], sends: str, accepts: str
    ) -> T:
        request_id = uuid4().hex  # made here, so that a call without a response is in the service's logs too
        headers = {"X-Request-Id": request_id, "Accept": f"{accepts}, application/problem+json"}
        body = None
        if document is not None:
            sends, body = _encode(document, sends)
            headers["Content-Type"] = sends
        request = Request(method, path, headers, body)
        try:
            response = self._retries.send(lambda: self.transport.send(request))
        except DeltawireError as error:
            error.request_id = request_id
            raise
        return self._result(response, request_id, read, accepts)

    def _result(self, response: Response, request_id: str, read: Callable[[Any], T], accepts: str) -> T:
        try:
            if response.status == 200:
                return read(wire.decode(response.body, accepts, RESPONSE_LIMITS, "response"))
            failed = failure(wire.decode(response.body, wire.JSON, RESPONSE_LIMITS), response.status)
        except (Refused, LookupError, TypeError, ValueError, AttributeError) as error:
            kind = response.header("Content-Type") or "no content type"
            detail = f"{self.transport!r} answered {response.status} ({kind}), but not as a deltawire service"
            fault = Fault("", "answer_invalid", detail)
            raise ServiceFailed([fault], response.status, request_id) from error
        raise failed


def _encode(document: Any, media_type: str) -> tuple[str, list[bytes | memoryview]]:
    """Return the media type and the pieces of a document's body.

    Raises:
        Refused: The document holds an integer over 64 bits, or an object that JSON does not have.
    """
    try:
        parts = wire.encode_in_parts(document, media_type, "base64")
        if media_type == wire.SAFETENSORS and len(parts[0]) - 8 > LARGEST_HEADER:
            media_type = wire.JSON  # which has no header, and so no limit on it
            parts = wire.encode_in_parts(document, media_type, "base64")
    except TypeError as error:
        raise Refused([Fault("", "json_invalid", f"the request cannot be JSON: {error}")]) from error
    return media_type, parts
