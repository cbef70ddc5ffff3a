"""Requests over HTTP, by the `requests` library."""

from __future__ import annotations

from typing import Any

import requests

from deltawire.errors import Fault, TimedOut, Unreachable
from deltawire.transport.credentials import credentials
from deltawire.transport.http_body import Parts, read_body, sendable
from deltawire.transport.transport import Request, Response


class HTTPTransport:
    """Sends requests to the service at a URL. Threads may share one as far as they may share a session."""

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        timeout: tuple[float, float] = (5.0, 60.0),
        session: requests.Session | None = None,
    ):
        """Connect lazily: the first request opens the first connection.

        Args:
            url: Address of the service, with scheme. `https://user:key@host` sends HTTP Basic.
            api_key: Sent as a bearer token.
            timeout: Seconds to connect, and seconds to wait for each piece of the response.
            session: Supplies proxies, certificates and headers; `close` leaves it open.

        Raises:
            ValueError: The URL has no scheme, or the key cannot be sent in a header.
        """
        self.url, self._auth = credentials(url, api_key)
        self._timeout = timeout
        self._owns_session = session is None
        self._session = session or requests.Session()
        self._settings: dict[str, Any] | None = None
        self._prepared_by_method: dict[str, requests.PreparedRequest] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    def send(self, request: Request) -> Response:
        """Send a request and return the response; see `Transport.send`."""
        try:
            response = self._session.send(
                self._prepare(request), timeout=self._timeout, allow_redirects=False, **self._environment()
            )
            return Response(response.status_code, response.headers, read_body(response))
        except requests.ConnectTimeout as error:
            detail = f"no connection to {self.url} within {self._timeout[0]} s"
            raise Unreachable([Fault("", "unreachable", detail)]) from error
        except requests.Timeout as error:
            detail = f"{self.url} sent nothing for {self._timeout[1]} s"
            raise TimedOut([Fault("", "timed_out", detail)]) from error
        except requests.exceptions.SSLError as error:
            detail = f"no secure connection to {self.url}; is it http://? {error}"
            raise Unreachable([Fault("", "unreachable", detail)]) from error
        except requests.RequestException as error:
            raise Unreachable([Fault("", "unreachable", f"no service answers at {self.url}")]) from error

    def close(self) -> None:
        """Close the connections, unless the session was passed in."""
        if self._owns_session:
            self._session.close()

    def _prepare(self, request: Request) -> requests.PreparedRequest:
        """Return the request as the session prepares it, with its headers, cookies and credentials.

        Preparing takes 0.2 ms. For a session of our own the result depends on the method only, until the
        service sets a cookie, so it is kept.
        """
        body = None if request.body is None else sendable(request.body)
        if not self._owns_session or self._session.cookies:
            new = requests.Request(
                request.method, self.url + request.path, request.headers, data=body, auth=self._auth
            )
            return self._session.prepare_request(new)
        if request.method not in self._prepared_by_method:
            bare = requests.Request(request.method, self.url, auth=self._auth)
            self._prepared_by_method[request.method] = self._session.prepare_request(bare)
        prepared = self._prepared_by_method[request.method].copy()
        prepared.url = str(prepared.url).removesuffix("/") + request.path
        prepared.headers.update(request.headers)
        if body is not None:
            _set_body(prepared, body)
        return prepared

    def _environment(self) -> dict[str, Any]:
        """Return proxies and certificates. Looking them up takes 0.2 ms; those of our own session stay."""
        if self._settings is None or not self._owns_session:
            self._settings = dict(self._session.merge_environment_settings(self.url, {}, True, None, None))
        return self._settings


def _set_body(prepared: requests.PreparedRequest, body: bytes | Parts) -> None:
    prepared.body = body  # type: ignore[assignment]
    prepared.headers["Content-Length"] = str(len(body))
