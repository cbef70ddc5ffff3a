"""Calls of the service: a document out, a document back, over HTTP or in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, TypeVar
from uuid import uuid4

import requests

from deltawire import embedded, wire
from deltawire.body import Parts, received, to_send
from deltawire.credentials import credentials
from deltawire.errors import Fault, Refused, ServiceFailed, TimedOut, Unreachable, failure
from deltawire.retries import Retries

TRUSTED = wire.Limits(
    depth=64, members=2**62, lists=2**62, rank=64, elements=2**62, tensors=2**20, tensor_header_bytes=2**27
)
"""What an answer may hold: the limits on requests are not for the service one asked."""

LARGEST_HEADER = wire.DEFAULT.tensor_header_bytes
"""Bytes of a binary body's header that services read; the spec of a large network has more."""

T = TypeVar("T")


class Calls:
    """What a client has to call the service with; `Client` says what there is to call."""

    def __init__(
        self,
        url: str | None = None,
        *,
        timeout: tuple[float, float] = (5.0, 60.0),
        session: requests.Session | None = None,
        retries: Retries = Retries(),  # noqa: B008 (immutable)
        api_key: str | None = None,
        media_type: str = wire.SAFETENSORS,
    ):
        if media_type not in wire.MEDIA_TYPES:
            raise ValueError(f"media_type: expected one of {', '.join(wire.MEDIA_TYPES)}, got {media_type!r}")
        if not isinstance(retries, Retries):
            raise TypeError(f"retries: expected Retries, as in Retries(attempts=3), got {retries!r}")
        self._media_type = media_type
        self._session = session or requests.Session()
        self._owns_session = session is None
        self._settings: Any = None
        self._requests: dict[str, requests.PreparedRequest] = {}
        self._timeout = timeout
        self._retries = retries
        self._url, self._auth = credentials(url or embedded.URL, api_key)
        if url is None:
            self._session.mount(embedded.URL, embedded.EmbeddedAdapter())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self._url == embedded.URL else repr(self._url)})"

    def close(self) -> None:
        """Close the connections, unless the session came from outside."""
        if self._owns_session:
            self._session.close()

    def call(
        self,
        method: str,
        path: str,
        document: Any,
        read: Callable[[Any], T],
        sends: str = wire.JSON,
        accepts: str = wire.JSON,
    ) -> T:
        """What `read` makes of the document the service answers.

        sends, accepts: the media types of the request and of its answer.
        """
        request_id = uuid4().hex  # made here: a call without an answer can be found in the service's logs too
        headers = {"X-Request-Id": request_id, "Accept": f"{accepts}, application/problem+json"}
        body = None
        if document is not None:
            try:
                parts = wire.encode_in_parts(document, sends, "base64")
                if sends == wire.SAFETENSORS and len(parts[0]) - 8 > LARGEST_HEADER:
                    sends = wire.JSON  # which has no header, and so no limit on it
                    parts = wire.encode_in_parts(document, sends, "base64")
            except TypeError as error:  # an integer over 64 bits, an object in a layer's config
                raise Refused([Fault("", "json_invalid", f"the request cannot be JSON: {error}")]) from error
            headers["Content-Type"] = sends
            body = to_send(parts)
        content: bytes | memoryview = b""

        def exchange() -> requests.Response:
            nonlocal content
            response = self._session.send(
                self._prepared(method, path, headers, body),
                timeout=self._timeout,
                allow_redirects=False,
                **self._environment(),
            )
            content = received(response)
            return response

        try:
            response = self._retries.send(exchange)
        except requests.Timeout as error:
            fault = Fault("", "timed_out", f"no answer in time: {error}")
            raise TimedOut([fault], None, request_id) from error
        except requests.RequestException as error:
            detail = f"no service answers at {self._url}"
            if isinstance(error, requests.exceptions.SSLError):
                detail = f"no secure connection to {self._url}; is it http://? {error}"
            fault = Fault("", "unreachable", detail)
            raise Unreachable([fault], None, request_id) from error
        try:
            if response.status_code == 200:
                return read(wire.decode(content, accepts, TRUSTED, "response"))
            failed = failure(wire.decode(content, wire.JSON, TRUSTED), response.status_code)
        except (Refused, LookupError, TypeError, ValueError, AttributeError) as error:
            kind = response.headers.get("Content-Type", "no content type")
            detail = f"{self._url} answered {response.status_code} ({kind}), but not as a deltawire service"
            fault = Fault("", "answer_invalid", detail)
            raise ServiceFailed([fault], response.status_code, request_id) from error
        raise failed

    def _prepared(
        self, method: str, path: str, headers: dict[str, str], body: bytes | Parts | None
    ) -> requests.PreparedRequest:
        """A request as the session prepares it, with its headers, cookies and whatever proves who asks.

        To prepare one takes 0.2 ms; for a session of our own it stays but for what is given here, as long as
        no cookie comes.
        """
        if not self._owns_session or self._session.cookies:
            given = requests.Request(method, self._url + path, headers, data=body, auth=self._auth)
            return self._session.prepare_request(given)
        if method not in self._requests:
            given = requests.Request(method, self._url, auth=self._auth)
            self._requests[method] = self._session.prepare_request(given)
        request = self._requests[method].copy()
        request.url = str(request.url).removesuffix("/") + path
        request.headers.update(headers)
        if body is not None:
            request.body = body  # type: ignore[assignment]
            request.headers["Content-Length"] = str(len(body))
        return request

    def _environment(self) -> Any:
        """Proxies and certificates. To find them takes 0.2 ms, and for a session of our own they stay."""
        if self._settings is None or not self._owns_session:
            self._settings = self._session.merge_environment_settings(self._url, {}, True, None, None)
        return self._settings
