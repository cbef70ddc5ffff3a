"""How a client reaches a service: over HTTP, or by calling a WSGI application in this process.

A `Transport` sends one `Request` and returns its `Response`; a client has one. To test without a network,
write one of your own:

    class Canned:
        def send(self, request: Request) -> Response:
            headers = {"Content-Type": "application/json", "X-Request-Id": request.headers["X-Request-Id"]}
            return Response(200, headers, b'{"layers": []}')

        def close(self) -> None:
            pass

    client = Client(transport=Canned())
"""

from deltawire.transport.embedded import EmbeddedTransport
from deltawire.transport.http import HTTPTransport, Timeout
from deltawire.transport.transport import Part, Request, Response, Transport
from deltawire.transport.wsgi import WSGITransport

__all__ = [
    "EmbeddedTransport",
    "HTTPTransport",
    "Part",
    "Request",
    "Response",
    "Timeout",
    "Transport",
    "WSGITransport",
]
