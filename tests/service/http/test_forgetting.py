"""A request that is refused is forgotten at once: its body does not wait for a garbage collection."""

from __future__ import annotations

import gc
import json
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from support.posting import good
from werkzeug.test import EnvironBuilder, run_wsgi_app

from deltawire.errors import DeltawireError
from deltawire_service.admission.answer_memory import AnswerMemory
from deltawire_service.admission.compute_queue import Overloaded
from deltawire_service.app import create_app
from deltawire_service.faults import ServiceError
from deltawire_service.http.bodies import UNCOUNTED
from deltawire_service.server.bodies.received_body import ReceivedBody
from deltawire_service.settings import Settings

APP = create_app(Settings(protocols="kserve,umbridge,tesseract"))


def changed(**parts: Any) -> bytes:
    """A request that would be right without this change."""
    return json.dumps(good() | parts).encode()


@contextmanager
def without_collections() -> Iterator[None]:
    gc.collect()
    gc.freeze()  # for good: what is collected later is the fewer
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def answered(path: str, body: bytes, media_type: str) -> tuple[int, weakref.ref[ReceivedBody]]:
    """The status of an answer, and the body that our worker had received."""
    environ = EnvironBuilder(path=path, method="POST", headers={"Content-Type": media_type}).get_environ()
    received = ReceivedBody(body)
    environ |= {"wsgi.input": received, "CONTENT_LENGTH": str(len(body))}
    pieces, status, _ = run_wsgi_app(APP, environ)
    for _ in pieces:
        pass
    pieces.close()  # type: ignore[attr-defined]
    return int(status[:3]), weakref.ref(received)


def errors() -> list[str]:
    """Our exceptions that are still there."""
    return [repr(each) for each in gc.get_objects() if isinstance(each, DeltawireError | ServiceError)]


JSON = "application/json"


@pytest.mark.parametrize(("path", "body", "media_type", "status"), [
    ("/v1/gradients", b'{"network": ', JSON, 400),
    ("/v1/gradients", changed(nothing=1), JSON, 422),
    ("/v1/gradients", changed(network={"published": "nobody"}), JSON, 422),
    ("/v1/gradients", changed(data={"x": [[1, 2]], "nobody": [1]}), JSON, 422),
    ("/v1/gradients", changed(), "text/plain", 415),
    ("/v1/nothing", changed(), JSON, 404),
    ("/v1/limits", changed(), JSON, 405),
    ("/v1/models", changed(), JSON, 422),
    ("/v2/models/nobody/infer", changed(), JSON, 404),
    ("/Evaluate", changed(), JSON, 400),
    ("/tesseract/nobody/apply", changed(), JSON, 404),
])  # fmt: skip
def test_a_refused_request_leaves_nothing_behind(
    path: str, body: bytes, media_type: str, status: int
) -> None:
    answered(path, body, media_type)
    with without_collections():
        got, received = answered(path, body, media_type)
        assert (got, received(), errors()) == (status, None, [])


def test_a_request_without_room_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise Overloaded("there is no room")

    monkeypatch.setattr(AnswerMemory, "admit_body", refuse)
    with without_collections():
        got, received = answered("/v1/gradients", changed() + UNCOUNTED * b" ", JSON)
        assert (got, received(), errors()) == (503, None, [])
