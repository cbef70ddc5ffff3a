"""Calls of a service: a document out, a document back, over any transport."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

from deltawire import wire
from deltawire.errors import (
    DeltawireError,
    Fault,
    Refused,
    ServiceFailed,
    Unreachable,
    failure,
    wrong_argument,
)
from deltawire.integrations.untraced import untraced
from deltawire.retries import Retries
from deltawire.transport import Part, Request, Response, Transport

RESPONSE_LIMITS = wire.Limits(
    depth=64, members=2**62, lists=2**62, rank=64, elements=2**62, tensors=2**20, tensor_header_bytes=2**27
)
"""Bounds on responses. The service limits requests; the client trusts the service that it calls."""

SHORT_HEADER_BYTES = 2**16
"""A header of a binary body that is sent without a look at the limits of the service."""

MENDS = {
    "unauthorized": "pass the key as Client(…, api_key=…)",
    "not_found": "is the url the address of the service alone, without /v1?",
    "store_missing": 'Client(data_dir="models") keeps them in a folder, without a service',
    "loss_missing": "set net.loss to a node of shape ()",
    "body_too_large": "pass fewer examples at a time",
}
"""What a caller of the SDK can do about an error, by its code."""

OK = frozenset({200, 201, 202})
"""Statuses of answers."""

UNKNOWN = ("unreachable", "timed_out", "answer_invalid", "internal", "outcome_unknown", "deadline_exceeded")
"""Codes of errors after which a change may have been made."""

OPTION_MENDS = {
    ("non_finite", "non_finite"): 'non_finite="return" returns it',
    ("loss_missing", "vectors"): "set net.loss to a node of shape (), or pass cotangents= by node",
}
"""Arguments that help with an error, by its code and a field of the request that takes them."""

VISIBLE = re.compile(r"[!#-~]{1,255}", re.ASCII)
"""Idempotency-Keys, as the service reads them."""

T = TypeVar("T")


@dataclass(frozen=True)
class Body:
    """A body that is sent as it is, in a document's place.

    Attributes:
        media_type: What it is.
        parts: Its pieces, in order.
    """

    media_type: str
    parts: Sequence[Part]


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
        self._answered = False  # by the service, once: until then, it may not be running

    @untraced
    def get(self, path: str, read: Callable[[Any], T], *, accepts: str = wire.JSON) -> T:
        """GET a path and return `read` of the document that comes back.

        Args:
            path: Of the route, with its query.
            read: As for `post`.
            accepts: Media type of the response.

        Raises:
            Refused, Unreachable, ServiceFailed: As for `post`.
        """
        return self._call("GET", path, None, read, wire.JSON, accepts)

    @untraced
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

    @untraced
    def change(
        self,
        method: str,
        path: str,
        document: Any,
        read: Callable[[Any], T],
        *,
        key: str | None = None,
        sends: str = wire.JSON,
        accepts: str = wire.JSON,
    ) -> T:
        """Send a request that changes something, and return `read` of the document that comes back.

        However often the request is sent, also by several calls with one key, the change is made once.

        Args:
            method: POST, PUT, PATCH or DELETE.
            path: Of the route.
            document: As for `post`; a `Body`; None for a request without a body.
            read: As for `post`.
            key: The Idempotency-Key, 1 to 255 visible ASCII characters but "; by default a new one.
            sends: Media type of the request.
            accepts: Media type of the response.

        Raises:
            Refused: The request is wrong, or the key came with another one. Nothing was changed.
            Unreachable, ServiceFailed: As for `post`. The fault says when the change may have been made.
        """
        return self._call(method, path, document, read, sends, accepts, chosen_key(key))

    def _call(
        self,
        method: str,
        path: str,
        document: Any,
        read: Callable[[Any], T],
        sends: str,
        accepts: str,
        key: str | None = None,
    ) -> T:
        request_id = uuid4().hex  # made here, so that a call without a response is in the service's logs too
        headers = {"X-Request-Id": request_id, "Accept": f"{accepts}, application/problem+json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        body = document
        if document is not None and not isinstance(document, Body):
            body = self._encode(document, sends)
        if body is not None:
            headers["Content-Type"] = body.media_type
        startup = None if self._answered else self._retries.startup or None
        request = Request(method, path, headers, body and body.parts, startup)
        unknown = False
        try:
            response, unknown = self._retries.send(
                lambda: self._send(request, request_id), answered=self._answered, keyed=key is not None
            )
            return self._result(response, request_id, read, accepts)
        except DeltawireError as error:
            error.request_id = request_id
            if key is not None and (unknown or _may_have_changed(error)):
                raise _of_change(error, key) from error.__cause__
            options = document if isinstance(document, Mapping) else {}
            mends = MENDS | {code: mend for (code, field), mend in OPTION_MENDS.items() if field in options}
            raise error.with_mends(mends) from error.__cause__

    def _send(self, request: Request, request_id: str) -> Response:
        """Send a request once; raises ServiceFailed for a response to another one.

        Only a response with the request's own id is trusted to have its numbers. What stands between client
        and service, and fails, may answer without an id.
        """
        response = self.transport.send(request)
        self._answered = True
        answered = response.header("X-Request-Id")
        if answered == request_id or (answered is None and response.status not in OK):
            return response
        self.transport.close()  # the next responses on these connections may be for others too
        if answered is None:
            how = "without the request's X-Request-Id: not a deltawire service, or a proxy drops the header"
        else:
            how = f"to another request (X-Request-Id {answered}): processes share a connection"
        raise self._invalid(response, how)

    def _result(self, response: Response, request_id: str, read: Callable[[Any], T], accepts: str) -> T:
        try:
            if response.status in OK:
                return read(wire.decode(response.body, accepts, RESPONSE_LIMITS, "response"))
            failed = failure(wire.decode(response.body, wire.JSON, RESPONSE_LIMITS), response.status)
            if failed.request_id != request_id:
                raise ValueError("the problem is that of another request")
        except (Refused, LookupError, TypeError, ValueError, AttributeError) as error:
            location = response.header("Location")
            how = (
                f"with a redirect to {location}: is that the url?"
                if location
                else "but not as a deltawire service"
            )
            invalid = self._invalid(response, how)
            invalid.request_id = request_id
            raise invalid from error
        if isinstance(failed, ServiceFailed) and response.status == 500 and response.error is not None:
            raise failed.because(response.error) from response.error
        raise failed

    def _invalid(self, response: Response, how: str) -> ServiceFailed:
        kind = response.header("Content-Type") or "no content type"
        detail = f"{self.transport!r} answered {response.status} ({kind}) {how}"
        return ServiceFailed([Fault("", "answer_invalid", detail)], response.status)

    def _encode(self, document: Any, media_type: str) -> Body:
        """Return the body of a document.

        A binary body whose header is too large for the service becomes JSON, which has no header.

        Raises:
            Refused: The document holds an integer over 64 bits, or is too large in either media type.
        """
        try:
            parts = wire.encode_in_parts(document, media_type, "base64")
            header = len(parts[0]) - 8
            if media_type == wire.JSON or header <= SHORT_HEADER_BYTES:
                return Body(media_type, parts)
            limits = self.get("/v1/limits", lambda answer: dict(answer["limits"]))
            if header <= limits["tensor_header_bytes"]:
                return Body(media_type, parts)
            parts = wire.encode_in_parts(document, wire.JSON, "base64")
        except TypeError as error:
            raise Refused([Fault("", "json_invalid", f"the request cannot be JSON: {error}")]) from error
        if len(parts[0]) > limits["json_body_bytes"]:
            raise _too_large(header, len(parts[0]), limits)
        return Body(wire.JSON, parts)


def _may_have_changed(error: DeltawireError) -> bool:
    return isinstance(error, Unreachable | ServiceFailed) and error.code in UNKNOWN


def _of_change(error: DeltawireError, key: str) -> DeltawireError:
    """Return the same error of a change that may have been made, which says how to find out."""
    mend = f"the change may have been made; the same call with key={key!r} finds out"
    return error.of_change(key, dict.fromkeys((fault.code for fault in error.faults), mend))


def chosen_key(key: Any) -> str:
    """Return an Idempotency-Key: the caller's, or a new one for None.

    Raises:
        Refused: The caller's cannot be sent as one.
    """
    return uuid4().hex if key is None else check_key(key)


def check_key(key: Any) -> str:
    """Return an Idempotency-Key.

    Raises:
        Refused: It cannot be sent as one.
    """
    if not isinstance(key, str) or not VISIBLE.fullmatch(key):
        raise wrong_argument("/key", '1 to 255 visible ASCII characters, without spaces and "', key)
    return key


def _too_large(header: int, body: int, limits: Mapping[str, int]) -> Refused:
    """Return the refusal of a request that the service reads in no media type.

    Args:
        header: Bytes of the binary body's header.
        body: Bytes of the JSON body.
        limits: Of the service, by the names of its settings.
    """
    detail = (
        f"the network and the names of its arrays take a header of {header:,} bytes, and at most "
        f"{limits['tensor_header_bytes']:,} are read (DELTAWIRE_TENSOR_HEADER_BYTES). With its arrays it "
        f"takes {body:,} bytes of JSON, and at most {limits['json_body_bytes']:,} are read "
        "(DELTAWIRE_JSON_BODY_BYTES). Publish the network with its parameters and send its name, send "
        "smaller batches, or have one of the settings raised"
    )
    return Refused([Fault("", "tensor_header_too_large", detail)])
