"""The interface between a client and whatever carries its requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

Part = bytes | memoryview
"""A piece of a body; large arrays are pieces of their own, so that they are not copied."""


@dataclass(frozen=True)
class Request:
    """One HTTP request.

    Attributes:
        method: `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
        path: From the root of the service, percent-encoded: `/v1/gradients`.
        headers: By name; `X-Request-Id` is always among them.
        body: The pieces of the body, in order; None for a request without a body.
        connect_seconds: Seconds to connect, at most; None leaves it to the transport.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: Sequence[Part] | None = None
    connect_seconds: float | None = None


@dataclass(frozen=True)
class Response:
    """One HTTP response.

    Attributes:
        status: The status code, 200 for example.
        headers: By name, in any case. A deltawire service repeats the request's `X-Request-Id`.
        body: The whole body. Arrays read from writable memory can be written to.
        error: What a service in this process raised, where that is known.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes | bytearray | memoryview
    error: BaseException | None = None

    def header(self, name: str) -> str | None:
        """Return a header's value, whatever the case of its name; None where it is missing."""
        name = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == name), None)


class Transport(Protocol):
    """Sends requests to a service. A client calls `send` from every thread that uses the client."""

    def send(self, request: Request) -> Response:
        """Send a request and return the response, whatever its status.

        Raises:
            Unreachable: No response came, and sending the request again may help.
            TimedOut: The service took too long. The client does not repeat such a request.
        """

    def close(self) -> None:
        """Drop all connections; a later `send` opens new ones.

        The client calls this when it is closed, if it made the transport itself, and after a response to
        another request.
        """
