"""The service with a route whose answer is made as it is read, and that notes how far it has come."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

from flask import Flask, Response, request

from deltawire_service.app import create_app

PIECE = bytes(2**20)


class Pieces:
    """So many pieces of a megabyte. A file gets a line when one is made, and at the end."""

    def __init__(self, path: str, count: int, fails_after: int):
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._count, self._fails_after = count, fails_after

    def __iter__(self) -> Iterator[bytes]:
        for number in range(self._count):
            if number == self._fails_after:
                raise OSError("the disk fails")
            os.write(self._descriptor, f"made by {threading.current_thread().name}\n".encode())
            yield PIECE

    def close(self) -> None:
        os.write(self._descriptor, b"closed\n")
        os.close(self._descriptor)


def app() -> Flask:
    service = create_app()

    def pieces() -> Response:
        count = int(request.args["count"])
        made = Pieces(request.args["file"], count, int(request.args.get("fails_after", -1)))
        return Response(made, headers={"Content-Length": str(count * len(PIECE))}, direct_passthrough=True)

    service.add_url_rule("/pieces", view_func=pieces)
    return service
