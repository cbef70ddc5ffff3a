"""The service in this process: the same bodies, checks and errors as over the network, and no socket."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from deltawire.errors import Fault, NotInstalled
from deltawire.transport.trainer import TrainerProcess
from deltawire.transport.transport import Request, Response
from deltawire.transport.wsgi import WSGITransport

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

UNBOUNDED = 2**62

TRAINING = re.compile(r"/v1/(models/[^/]+/runs$|runs/[^/]+/(resume$|metrics\b))")
"""Paths of requests that have runs go on, or follow them."""

ALONE: dict[str, Any] = {
    "log_level": "error",
    "queue_seconds": 1e6,
    "deadline_seconds": 1e6,
    **dict.fromkeys(
        [
            "binary_body_bytes",
            "json_body_bytes",
            "tensor_header_bytes",
            "json_members",
            "json_lists",
            "tensors",
            "elements",
            "queue_bytes",
            "admitted_bytes",
            "model_body_bytes",
            "models_per_key",
            "dataset_body_bytes",
            "datasets_per_key",
            "runs_per_key",
            "model_bytes_per_key",
        ],
        UNBOUNDED,
    ),
}
"""Settings of a service without other users. One that the environment names holds instead.

Arrays are passed in memory, so that only their plan bounds them. A call leaves no answer behind that others
would have to wait for. Models and datasets have the whole disk, but for the space that stays free.
"""

NEVER: dict[str, Any] = {"api_keys": "", "api_keys_file": "", "kept_pass_bytes": 0}
"""Settings that hold whatever the environment says.

No forward pass is kept: a caller may write to its arrays afterwards.
"""


class EmbeddedTransport:
    """Runs a service of its own and sends requests to it.

    Settings come from the environment, as for any service. Those that it does not name are those of a service
    without other users: only errors are logged, calls wait for each other without a deadline, and planned
    memory and operations alone bound a call. No API key is needed.

    Runs train in a process of their own, which starts with the first run and ends with this
    process or with `close`.

    A forked process starts a service of its own with its first request: threads and locks do not survive a
    fork. So does a process in which a pickled transport is loaded. A deepcopy shares the service.
    """

    def __init__(self, data_dir: str | os.PathLike[str] | None = None) -> None:
        """Start the service.

        Args:
            data_dir: Folder in which it keeps models; by default that of the setting DELTAWIRE_DATA_DIR.

        Raises:
            NotInstalled: The service is not installed on this machine.
        """
        self._data_dir = None if data_dir is None else os.path.abspath(data_dir)
        self._start()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self._data_dir is None else repr(self._data_dir)})"

    def __reduce__(self) -> tuple[type[Self], tuple[str | None]]:
        return type(self), (self._data_dir,)

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def send(self, request: Request) -> Response:
        """Have the service answer a request; see `Transport.send`."""
        if self._process != os.getpid():
            self._start()
        response = self._wsgi.send(request)
        if TRAINING.match(request.path) and response.status < 400:
            self._trainer.keep_alive()
        return response

    def close(self) -> None:
        """End the process that trains, if there is one; a later request about runs starts it again."""
        if self._process == os.getpid():
            self._trainer.stop()

    def _start(self) -> None:
        self._wsgi, self._process = WSGITransport(_service(self._data_dir)), os.getpid()
        self._trainer = TrainerProcess(self._data_dir)


def _service(data_dir: str | None) -> WSGIApplication:
    try:
        from deltawire_service.app import create_app
        from deltawire_service.environment import variable
        from deltawire_service.settings import Settings
    except ImportError as error:
        detail = "a client without a URL runs the service itself: pip install 'deltawire[service]'"
        raise NotInstalled([Fault("", "not_installed", detail)]) from error
    alone = {name: value for name, value in ALONE.items() if variable(name) not in os.environ}
    if data_dir is not None:
        alone["data_dir"] = data_dir
    settings = replace(Settings.from_environment(), **alone, **NEVER)
    return create_app(settings)
