"""The embedded transport: the service's WSGI application behind a requests session, in this process.

Everything else is the same code path as over the network: bodies, checks, problem documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from deltawire.errors import Fault, NotInstalled

URL = "http://deltawire.embedded"
"""Where a session has the embedded service mounted; no such host is ever looked up."""


UNHURRIED = 1e6
"""Seconds; nobody else waits for a service of one's own."""


class EmbeddedAdapter(HTTPAdapter):
    """Answers requests from the service in this process; timeouts, proxies and certificates do not apply.

    The service takes its settings from the environment as always, but logs errors only, and lets calls of
    several threads wait for each other.
    Raises NotInstalled when the service is not on this machine.
    """

    def __init__(self) -> None:
        super().__init__()
        try:
            from werkzeug.test import Client

            from deltawire_service.app import create_app
            from deltawire_service.settings import Settings
        except ImportError as error:
            detail = "a client without a URL runs the service itself: pip install 'deltawire[service]'"
            raise NotInstalled([Fault("", "not_installed", detail)]) from error
        settings = Settings.from_environment()
        settings = replace(settings, log_level="error", queue_seconds=UNHURRIED, deadline_seconds=UNHURRIED)
        settings = replace(settings, api_keys="", api_keys_file="")  # whoever runs it may ask it
        self._service = Client(create_app(settings))

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: None | float | tuple[float, float] | tuple[float, None] = None,
        verify: bool | str = True,
        cert: None | bytes | str | tuple[bytes | str, bytes | str] = None,
        proxies: Mapping[str, str] | None = None,
    ) -> Response:
        path = urlsplit(str(request.url)).path
        answer = self._service.open(
            path,
            method=request.method,
            headers=list(request.headers.items()),
            data=_joined(request.body),
            buffered=True,  # and so ended when it returns
        )
        raw = HTTPResponse(
            BytesIO(answer.data),
            dict(answer.headers),
            answer.status_code,
            reason=answer.status,
            preload_content=False,
        )
        return self.build_response(request, raw)


def _joined(body: Any) -> bytes | str | None:
    """A body that is sent in parts over a socket, in one."""
    return body if body is None or isinstance(body, bytes | str) else b"".join(body)
