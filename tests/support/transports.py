"""Transports that need no service."""

from __future__ import annotations

import json
from typing import Any

from deltawire import wire
from deltawire.transport import Request, Response


class Recorded:
    """A transport that keeps what it is sent, and answers with a status and a document."""

    def __init__(self, answer: Any, status: int = 200):
        self.requests: list[Request] = []
        self.closed = False
        self._answer, self._status = answer, status

    def send(self, request: Request) -> Response:
        self.requests.append(request)
        headers = {"x-request-id": request.headers["X-Request-Id"]}
        return Response(self._status, headers, json.dumps(self._answer).encode())

    def close(self) -> None:
        self.closed = True

    def document(self) -> Any:
        """The document of the last request."""
        request = self.requests[-1]
        return wire.decode(b"".join(request.body or ()), request.headers["Content-Type"])
