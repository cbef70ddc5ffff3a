"""gunicorn's worker: a thread for connections, some that answer, and one each for health checks and files."""

from __future__ import annotations

import os
import resource
from dataclasses import replace
from datetime import datetime
from functools import partial
from time import monotonic
from typing import Any

from gunicorn.http import wsgi
from gunicorn.workers.base import Worker as BaseWorker

from deltawire_service.server.bodies.received_body import BEGAN
from deltawire_service.server.connections.answer import Answer
from deltawire_service.server.connections.connection import ReceivedRequest
from deltawire_service.server.connections.limits import ConnectionLimits
from deltawire_service.server.connections.loop import ConnectionLoop
from deltawire_service.server.connections.request_threads import RequestThreads
from deltawire_service.server.fork_signals import deliver
from deltawire_service.server.heartbeat import Heartbeat
from deltawire_service.server.stopping import end_after_grace

HEALTH = ("/livez", "/readyz", "/v2/health/live", "/v2/health/ready")
"""Paths that a thread of their own answers: it is free when all others wait for computations."""

OTHER_DESCRIPTORS = 64
"""Files, pipes and listening sockets of a process beside its connections, at most."""

READING_SECONDS = 0.02
"""How long a thread waits for a client that reads: it sends large answers sooner than the loop would."""

CLOSING_SECONDS = 1.0
"""How long before gunicorn kills a stopping worker it closes the connections that are left."""


class Worker(BaseWorker):  # type: ignore[misc]
    """One process of the service."""

    limits = ConnectionLimits()
    """For an application that is not the service; `gunicorn_conf` sets those of the settings."""

    alive: bool

    def __init__(self, *arguments: Any):
        try:
            super().__init__(*arguments)
        except OSError:  # its heartbeat file, made last: worker_tmp_dir has no room
            self.tmp = Heartbeat()
        self.notify()  # otherwise gunicorn waits forever for a worker that hangs while it starts

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Refuse what this worker does not do. Raises RuntimeError, which gunicorn prints before it ends."""
        if cfg.is_ssl:
            raise RuntimeError(
                "deltawire speaks plain HTTP: TLS is for the proxy before it (docs/operations.md)"
            )

    def init_signals(self) -> None:
        """Handle signals, beginning with those that were held back since the fork."""
        super().init_signals()
        deliver()

    def run(self) -> None:
        """Serve until told to stop, then until what was accepted is answered."""
        self._threads = RequestThreads(self.cfg.threads, "answer", self.log)
        self._health = RequestThreads(1, "health", self.log)
        self._loop = ConnectionLoop(
            self.cfg,
            self._fitting(self.limits),
            self._dispatch,
            release=self._threads.submit,
            make_pieces=RequestThreads(1, "pieces", self.log).submit,
            write_files=RequestThreads(1, "uploads", self.log).submit,
            wake_pipe=self.PIPE,
            log=self.log,
        )
        self._loop.listen(self.sockets)
        self.notify()
        while self.alive:
            if self._loop.turn():
                self.notify()
                self.alive = self.alive and self.ppid == os.getppid()
        self._loop.stop()
        end = monotonic() + self.cfg.graceful_timeout - CLOSING_SECONDS
        while not self._loop.is_empty() and monotonic() < end:
            if self._loop.turn():
                self.notify()
        self._loop.close()
        end_after_grace(0)

    def handle_quit(self, sig: int, frame: Any) -> None:
        """End at once."""
        end_after_grace(0)
        super().handle_quit(sig, frame)

    def _fitting(self, limits: ConnectionLimits) -> ConnectionLimits:
        """Return the limits with as many connections as there may be descriptors."""
        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = min(self.cfg.worker_connections, max(1, descriptors - OTHER_DESCRIPTORS))
        return replace(limits, connections=most)

    def _dispatch(self, received: ReceivedRequest) -> None:
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False
        threads = self._health if received.request.path in HEALTH else self._threads
        threads.submit(partial(self._answer, received))

    def _answer(self, received: ReceivedRequest) -> None:
        """Answer a request. Runs in a thread that answers, and always gives the connection back."""
        connection = received.connection
        answer = Answer(connection.outgoing, self.cfg, self.log)
        try:
            self._respond(received, answer)
            answer.send(READING_SECONDS)
        finally:
            self._loop.call_soon(partial(self._loop.answered, connection, answer))

    def _respond(self, received: ReceivedRequest, answer: Answer) -> None:
        """Have the application answer a request.

        Args:
            received: the request.
            answer: gets what the application returns, or a refusal when it fails.
        """
        connection, request = received.connection, received.request
        environ, response = dict[str, Any](), None
        request.body, started = received.body, datetime.now()
        try:
            self.cfg.pre_request(self, request)
            response, environ = wsgi.create(
                request, connection.outgoing, connection.peer, connection.server, self.cfg
            )
            environ["wsgi.multithread"] = True
            environ[BEGAN] = received.began
            if not (received.whole and self.alive and self.cfg.keepalive):
                response.force_close()
            body = self.wsgi(environ, response.start_response)
            answer.begin(response, body, partial(self._log_access, response, request, environ, started))
        except BaseException as error:  # SystemExit too: it would end this thread, and nothing else
            answer.fail(error)
        finally:
            self.cfg.post_request(self, request, environ, response)

    def _log_access(self, response: Any, request: Any, environ: dict[str, Any], started: datetime) -> None:
        if self.cfg.accesslog:
            self.log.access(response, request, environ, datetime.now() - started)
