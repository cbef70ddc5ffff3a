"""The service as shipped, which reports when a request makes it reach for anything outside its own files:
`hostile.watched:app()`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from flask import Flask, has_request_context

import deltawire_service
from deltawire_service.app import create_app
from deltawire_service.engine.execute.flat.program import FILE

OWN = str(Path(deltawire_service.__file__).parent)
REACHING = ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.exec", "os.remove")
REACHING += ("import", "exec", "compile", "ctypes.dlopen", "pickle.find_class", "os.listdir", "open")


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event in REACHING and has_request_context() and not own(event, arguments):
        print(json.dumps({"reached": event, "for": repr(arguments)[:200]}), file=sys.stderr, flush=True)


def own(event: str, arguments: tuple[Any, ...]) -> bool:
    """Return whether it is a flat program, or a file of the pages, or of the counts that workers share."""
    if event == "compile":
        return bool(arguments[1] == FILE)
    if event == "exec":
        return bool(arguments[0].co_filename == FILE)
    if event not in ("open", "os.listdir"):
        return False
    path = str(Path(str(arguments[0])).resolve())
    return path.startswith(OWN) or "/deltawire-metrics-" in path


def app() -> Flask:
    service = create_app()
    with service.test_client() as warm:  # what is loaded once is loaded now
        warm.get("/openapi.json")
        warm.get("/docs")
        warm.get("/nowhere")
        warm.get("/metrics")
    sys.addaudithook(watch)
    return service
