"""Requests over HTTP, by the `requests` library."""

from __future__ import annotations

import os
from math import isfinite
from numbers import Real
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3.exceptions import NameResolutionError, ProtocolError

from deltawire.errors import ConnectionLost, Fault, ServiceFailed, TimedOut, Unreachable
from deltawire.transport.credentials import credentials, no_credentials
from deltawire.transport.http_body import Parts, read_body, sendable
from deltawire.transport.transport import Request, Response

Timeout = float | tuple[float, float]
"""Seconds to connect and to wait for a piece of the response: one number for both, or a pair."""


class HTTPTransport:
    """Sends requests to the service at a URL.

    Threads may share one as far as they may share a session. A forked process opens connections of its own:
    two processes on one connection would read each other's responses. A copy, by pickle or deepcopy, has the
    same address, key and session settings, and its own connections.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        timeout: Timeout = (5.0, 60.0),
        session: requests.Session | None = None,
    ):
        """Connect lazily: the first request opens the first connection.

        Args:
            url: Address of the service, with scheme. `https://user:key@host` sends HTTP Basic.
            api_key: Sent as a bearer token.
            timeout: Seconds to connect, and seconds to wait for each piece of the response; or one for both.
            session: Supplies proxies, certificates, headers and its own `auth`; `close` leaves it open.

        Without `api_key`, user in the URL and session, no credentials are sent: `~/.netrc` is not read.

        Raises:
            ValueError: The URL is not the address of a service, the key cannot be sent in a header, or the
                timeout is not seconds.
        """
        self.url, self._auth = credentials(url, api_key)
        self._timeout = connect_and_wait(timeout)
        self._owns_session = session is None
        self._session = session or requests.Session()
        self._settings: dict[str, Any] | None = None
        self._prepared_by_method: dict[str, requests.PreparedRequest] = {}
        self._process = os.getpid()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    def __getstate__(self) -> dict[str, Any]:
        """Return what is copied: everything but connections and what was worked out for them."""
        state = self.__dict__ | {"_settings": None, "_prepared_by_method": {}}
        return state | ({"_session": requests.Session()} if self._owns_session else {})

    def send(self, request: Request) -> Response:
        """Send a request and return the response; see `Transport.send`."""
        if self._process != os.getpid():
            self._leave_connections()
        connect, wait = self._timeout
        if request.connect_seconds is not None:
            connect = min(connect, request.connect_seconds)
        prepared = self._prepare(request)
        if isinstance(prepared.body, Parts):  # urllib3 gives each piece the time that connecting has
            connect = max(connect, wait)
        try:
            response = self._session.send(
                prepared, timeout=(connect, wait), allow_redirects=False, **self._environment()
            )
            return Response(response.status_code, response.headers, read_body(response))
        except requests.exceptions.ProxyError as error:
            proxy = select_proxy(self.url, self._environment()["proxies"])
            detail = (
                f"the proxy {_without_user(proxy)} does not lead to {self.url}: HTTP_PROXY, HTTPS_PROXY or "
                "the session names it, and NO_PROXY excepts hosts"
            )
            raise Unreachable([Fault("", "unreachable", detail)]) from error
        except requests.exceptions.ContentDecodingError as error:
            detail = f"{self.url} answered with a body that its Content-Encoding does not fit"
            raise ServiceFailed([Fault("", "answer_invalid", detail)]) from error
        except requests.ConnectTimeout as error:
            raise self._no_service(f" within {connect:g} s") from error
        except requests.Timeout as error:
            detail = f"{self.url} sent nothing for {wait} s"
            raise TimedOut([Fault("", "timed_out", detail)]) from error
        except requests.exceptions.SSLError as error:
            detail = f"no secure connection to {self.url}; is it http://? {_reason(error)}"
            raise Unreachable([Fault("", "unreachable", detail)]) from error
        except requests.RequestException as error:
            if isinstance(_reason(error), NameResolutionError):
                host = urlsplit(self.url).hostname
                detail = f"the host '{host}' of {self.url} is not known here: mend the name, or the network"
                raise Unreachable([Fault("", "unreachable", detail)]) from error
            if isinstance(_reason(error), ProtocolError):  # it was connected
                detail = f"{self.url} ended the connection before its response was whole"
                raise ConnectionLost([Fault("", "unreachable", detail)]) from error
            raise self._no_service() from error

    def close(self) -> None:
        """Close the connections, unless the session was passed in; a later `send` opens new ones."""
        if self._owns_session and self._process == os.getpid():
            self._session.close()

    def _no_service(self, within: str = "") -> Unreachable:
        mend = "start one with `deltawire serve`, or mend the address"
        return Unreachable([Fault("", "unreachable", f"no service answers at {self.url}{within}: {mend}")])

    def _leave_connections(self) -> None:
        """Leave the connections to the process that opened them, without a word to the other end."""
        if self._owns_session:
            self._session, self._settings, self._prepared_by_method = requests.Session(), None, {}
        else:
            for adapter in self._session.adapters.values():
                if isinstance(adapter, HTTPAdapter):
                    _empty_pools(adapter)
        self._process = os.getpid()

    def _prepare(self, request: Request) -> requests.PreparedRequest:
        """Return the request as the session prepares it, with its headers, cookies and credentials.

        Preparing takes 0.2 ms. For a session of our own the result depends on the method only, until the
        service sets a cookie, so it is kept.
        """
        body = None if request.body is None else sendable(request.body)
        auth = self._auth or (None if self._session.auth else no_credentials)
        if not self._owns_session or self._session.cookies:
            new = requests.Request(
                request.method, self.url + request.path, request.headers, data=body, auth=auth
            )
            return self._session.prepare_request(new)
        if request.method not in self._prepared_by_method:
            bare = requests.Request(request.method, self.url, auth=auth)
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


def connect_and_wait(timeout: Any) -> tuple[float, float]:
    """Return the two numbers of seconds of a timeout.

    Raises:
        ValueError: It is neither seconds above 0, nor a pair of them.
    """
    pair = tuple(timeout) if isinstance(timeout, tuple | list) else (timeout, timeout)
    numbers = (isinstance(each, Real) and not isinstance(each, bool) and isfinite(each) for each in pair)
    if len(pair) != 2 or not all(numbers) or min(pair) <= 0:
        raise ValueError(
            f"timeout: expected seconds above 0, or (to connect, to wait) as (5, 60), got {timeout!r}"
        )
    return float(pair[0]), float(pair[1])


def _reason(error: requests.RequestException) -> object:
    """Return the error of urllib3 behind one of requests, whose text repeats pools and retries."""
    cause = error.args[0] if error.args else error
    return getattr(cause, "reason", None) or cause


def _without_user(proxy: str | None) -> str:
    """Return the address of a proxy without its password."""
    scheme, _, rest = (proxy or "").partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def _empty_pools(adapter: Any) -> None:
    """Give an adapter new pools, as a pickled one gets; the old ones may hold locks that nothing releases."""
    adapter.__setstate__(adapter.__getstate__())


def _set_body(prepared: requests.PreparedRequest, body: bytes | Parts) -> None:
    prepared.body = body  # type: ignore[assignment]
    prepared.headers["Content-Length"] = str(len(body))
