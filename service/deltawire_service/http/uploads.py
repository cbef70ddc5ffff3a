"""Bodies of models and datasets: larger than memory should hold, and read from a file.

A route takes them when its view is marked with `takes_uploads`. It reads them with `receive`, and documents
in them with `decode`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from deltawire import wire
from deltawire_service.http import bodies
from deltawire_service.http.request_context import RequestContext
from deltawire_service.mapped_pages import released_pieces
from deltawire_service.settings import Settings

V = TypeVar("V", bound=Callable[..., Any])


class Uploads(NamedTuple):
    """The large bodies of a route.

    Attributes:
        setting: the name of the setting that bounds them.
        media_types: those that come in files. JSON never does.
    """

    setting: str
    media_types: Sequence[str]

    def folder(self, settings: Settings, media_type: str) -> Path | None:
        """Return the folder of a body; None where it has the bounds of all others.

        Args:
            settings: the settings of the service, which may name no folder for data.
            media_type: of the body.
        """
        return settings.uploads_dir if media_type in self.media_types else None

    def bound(self, settings: Settings) -> str:
        """Return the name of the setting that bounds them: without a folder, that of other binary bodies."""
        return self.setting if settings.uploads_dir else "binary_body_bytes"


OF_MODELS = Uploads("model_body_bytes", (wire.SAFETENSORS,))


def takes_uploads(uploads: Uploads) -> Callable[[V], V]:
    """Mark a view with its large bodies."""

    def mark(view: V) -> V:
        view.uploads = uploads  # type: ignore[attr-defined]
        return view

    return mark


def uploads_of(view: Callable[..., Any] | None) -> Uploads | None:
    """Return the large bodies of a view; None where it has none."""
    return getattr(view, "uploads", None)


def json_bytes(context: RequestContext) -> int:
    """Return the bytes of JSON in a request, at most. A table that comes as a file has none."""
    uploads, sent = uploads_of(context.view), context.media_type
    is_table = uploads is not None and sent in uploads.media_types and sent not in wire.MEDIA_TYPES
    return 0 if is_table else bodies.json_bytes(context)


def receive(context: RequestContext, settings: Settings, uploads: Uploads = OF_MODELS) -> bytes | memoryview:
    """Return the body of a request as read-only memory; a large one lies in a file.

    Args:
        context: the request.
        settings: the settings of the service.
        uploads: the large bodies of the route.

    Raises:
        Refused: the body has another media type, no Content-Length, or is over the limit. It is not read.
        BodyTruncated: fewer bytes come than were announced.
        StoreFull, StoreUnavailable: the disk has no room for it, or fails.
    """
    sent = context.media_type
    if sent not in uploads.media_types:
        return bodies.receive(context, settings, uploads.media_types)
    return bodies.received(context, settings, uploads.bound(settings), uploads.folder(settings, sent))


def decode(context: RequestContext, settings: Settings, body: bytes | memoryview) -> Any:
    """Return the document in a body that was received; its arrays are views of the body.

    Arrays of a file that are not aligned stay so: numpy computes with them, and aligned copies of all could
    fill the memory.

    Args:
        context: the request.
        settings: the settings of the service.
        body: the body.

    Raises:
        Refused: the body is not well formed, or breaks a limit.
        DeadlineExceeded: the body has come, and too late.
    """
    in_file = OF_MODELS.folder(settings, context.media_type) is not None
    limits = settings.model_wire_limits if in_file else settings.wire_limits
    return bodies.decode(context, body, limits, align=not in_file)


def request_digest(context: RequestContext, body: bytes | memoryview) -> bytes:
    """Return the SHA-256 of all that makes a request: its method, path, media type and body.

    The pages of a body in a file are released as they are read.
    """
    environ: Mapping[str, Any] = context.environ
    digest = hashlib.sha256()
    for name in ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "CONTENT_TYPE"):
        text = environ.get(name, "").encode()
        digest.update(len(text).to_bytes(8, "little") + text)
    for piece in released_pieces(memoryview(body)):
        digest.update(piece)
    return digest.digest()
