"""Decide by the head of a request whether its body is received at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map

from deltawire import wire
from deltawire.errors import Fault, Refused
from deltawire_service.admission.api_keys import Key
from deltawire_service.admission.authentication import Unauthorized, find_key
from deltawire_service.admission.compute_queue import ComputeQueue
from deltawire_service.faults import ServiceError
from deltawire_service.http.bodies import too_large
from deltawire_service.http.header_cache import media_type
from deltawire_service.http.hosts import HostNames
from deltawire_service.http.uploads import Uploads, uploads_of
from deltawire_service.server.bodies.body_reader import FILE_BYTES
from deltawire_service.settings import Settings

KSERVE = "/v2/"
"""Below it, bodies of any media type may be binary: JSON with tensors behind it."""


class RequestBodies:
    """Judges a body that has not come with the head of its request, before the server receives it.

    The application checks the same once more, where it answers: a refusal here only spares the bytes.

    Args:
        settings: the bounds on bodies.
        routes: the routes of the application.
        views: the views of the routes by endpoint.
        host_names: the names that the service has.
        keys: the known keys by digest; without any, no key is needed.
        compute_queue: whether a computation would get its turn.
    """

    def __init__(
        self,
        settings: Settings,
        routes: Map,
        views: Mapping[str, Callable[..., Any]],
        host_names: HostNames,
        keys: Mapping[bytes, Key],
        compute_queue: ComputeQueue,
    ):
        self._settings = settings
        self._views = views
        self._largest = max("json_body_bytes", "binary_body_bytes", key=lambda name: getattr(settings, name))
        self._routes = routes.bind("")
        self._host_names = host_names
        self._keys = keys
        self._compute_queue = compute_queue

    def refusal(self, method: str, path: str, headers: Mapping[str, str], length: int) -> Exception | None:
        """Return why a body is not received, or None when it is.

        Args:
            method: of the request.
            path: of the request, as it was sent.
            headers: by their names in capitals.
            length: bytes of the body, as announced.
        """
        try:
            if "HOST" in headers or not self._host_names.are_any(path):  # HTTP/1.0 knows no Host
                self._host_names.check(path, headers.get("HOST", ""))
            sent = media_type(headers.get("CONTENT-TYPE", ""))
            uploads = self._uploads(method, path)
            if uploads and sent in uploads.media_types:
                self._check_length(length, uploads.bound(self._settings))
            else:
                self._check_body(path, sent, length)
            if self._keys and not find_key(self._keys, headers.get("AUTHORIZATION", "")):
                raise Unauthorized
            self._compute_queue.check_capacity()
        except (HTTPException, Refused, ServiceError) as error:
            return error
        return None

    def upload_folder(self, method: str, path: str, headers: Mapping[str, str], length: int) -> Path | None:
        """Return the folder in which a body is received as a file, or None for one that is not.

        Args:
            method: of the request.
            path: of the request, as it was sent.
            headers: by their names in capitals.
            length: bytes of the body, as announced.
        """
        if length < FILE_BYTES:
            return None
        uploads = self._uploads(method, path)
        return uploads and uploads.folder(self._settings, media_type(headers.get("CONTENT-TYPE", "")))

    def _uploads(self, method: str, path: str) -> Uploads | None:
        """Return the large bodies of a route. Raises HTTPException when there is no such route."""
        endpoint, _ = self._routes.match(unquote(path), method)
        return uploads_of(self._views[endpoint])

    def _check_body(self, path: str, sent: str, length: int) -> None:
        if path.startswith("/v1/") and sent not in wire.MEDIA_TYPES:
            raise Refused([Fault("", "media_type_unsupported", f"expected {' or '.join(wire.MEDIA_TYPES)}")])
        is_json = sent == wire.JSON and not path.startswith(KSERVE)
        self._check_length(length, "json_body_bytes" if is_json else self._largest)

    def _check_length(self, length: int, bound: str) -> None:
        if length > getattr(self._settings, bound):
            raise too_large(length, self._settings, bound)
