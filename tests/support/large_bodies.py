"""The service with a route that takes large bodies, and one that gives what it took as an answer."""

from __future__ import annotations

import hashlib
import mmap
import time
from contextlib import ExitStack
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any

import numpy as np
from flask import Flask, Response, request

from deltawire_service.admission import deadlines
from deltawire_service.app import create_app
from deltawire_service.http import streaming, uploads
from deltawire_service.http.request_context import current_request
from deltawire_service.mapped_pages import released_pieces
from deltawire_service.settings import Settings

PATH = "/v1/large"


def app() -> Flask:
    settings = Settings.from_environment()
    service = create_app(settings)

    @uploads.takes_uploads(uploads.OF_MODELS)
    def take() -> dict[str, Any]:
        """The digests of a body and of its arrays, after so many seconds."""
        context = current_request()
        deadlines.set_deadline(settings, context)
        body = uploads.receive(context, settings)
        time.sleep(float(request.args.get("seconds", 0)))
        digest = uploads.request_digest(context, body)
        document = uploads.decode(context, settings, body)
        arrays = hashlib.sha256()
        for array in document["params"].values():
            for piece in released_pieces(array):
                arrays.update(piece)
        in_file = isinstance(getattr(body, "obj", None), mmap.mmap)
        return {"digest": digest.hex(), "arrays": arrays.hexdigest(), "in_file": in_file}

    def give() -> Response:
        """So many arrays of 25 MB from a file, which is locked until the last byte has been sent."""
        path, count = Path(request.args["file"]), int(request.args["count"])
        with ExitStack() as opened:
            flock(opened.enter_context(path.open("r+b")), LOCK_EX)
            with path.open("rb") as file:  # once more: a mapping would keep the lock of its descriptor
                memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            size = len(memory) // count // 4
            params = {f"p{i}": np.ndarray((size,), np.float32, memory, i * 4 * size) for i in range(count)}
            document = {"params": params, "version": 7}
            answer = streaming.stream(current_request(), document, opened.pop_all().close)
        answer.set_etag("of-these-numbers")
        return answer.make_conditional(request)

    service.add_url_rule(PATH, view_func=take, methods=["POST"])
    service.add_url_rule(PATH, endpoint="give", view_func=give)
    return service
