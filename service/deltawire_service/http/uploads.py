"""Bodies of models: larger than memory should hold, and read from a file.

A route takes them when its view is marked with `takes_uploads`, and reads them with `receive` and `decode`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from deltawire import wire
from deltawire_service.http import bodies
from deltawire_service.http.request_context import RequestContext
from deltawire_service.mapped_pages import released_pieces
from deltawire_service.settings import Settings

V = TypeVar("V", bound=Callable[..., Any])


def takes_uploads(view: V) -> V:
    """Mark a view: its binary bodies may have DELTAWIRE_MODEL_BODY_BYTES, and come in files."""
    view.takes_uploads = True  # type: ignore[attr-defined]
    return view


def has_uploads(view: Callable[..., Any]) -> bool:
    """Return whether a view is marked so."""
    return getattr(view, "takes_uploads", False)


def upload_folder(settings: Settings, media_type: str) -> Path | None:
    """Return the folder of a body for a marked view; None where it has the bounds of all others.

    Args:
        settings: the settings of the service, which may name no folder for data.
        media_type: of the body: JSON is never received into a file.
    """
    return settings.uploads_dir if media_type == wire.SAFETENSORS else None


def receive(context: RequestContext, settings: Settings) -> bytes | memoryview:
    """Return the body of a request as read-only memory; a large one lies in a file.

    Raises:
        Refused: the body has another media type, no Content-Length, or is over the limit. It is not read.
        BodyTruncated: fewer bytes come than were announced.
        UploadsFull, UploadsUnavailable: the disk has no room for it, or fails.
    """
    folder = upload_folder(settings, bodies.request_media_type(context))
    if folder is None:
        return bodies.receive(context, settings)
    return bodies.received(context, settings, "model_body_bytes", folder)


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
    in_file = upload_folder(settings, bodies.request_media_type(context)) is not None
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
