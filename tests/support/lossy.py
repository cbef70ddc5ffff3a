"""A TCP proxy that loses answers, as a network does: the request arrives, and its answer is cut."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Thread
from urllib.parse import urlsplit


class LossyProxy:
    """Forwards connections to a service, and cuts some before an answer, or in the middle of it.

    share: of the answers that are lost. lost: how many were, until now.
    """

    def __init__(self, url: str, share: float, seed: int = 0):
        parts = urlsplit(url)
        self._target = (str(parts.hostname), int(parts.port or 80))
        self._share, self._random, self._lock = share, random.Random(seed), Lock()
        self.lost = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._server.accept()
                try:
                    service = socket.create_connection(self._target)
                except OSError:
                    client.close()
                    continue
                for way in ((client, service, False), (service, client, True)):
                    Thread(target=self._forward, args=way, daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while data := source.recv(2**16):
                if answers and self._loses():
                    with suppress(OSError):
                        sink.sendall(data[: len(data) // 2])  # some are cut in the middle
                    break
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _loses(self) -> bool:
        with self._lock:
            loses = self._random.random() < self._share
            self.lost += loses
            return loses


@contextmanager
def lossy_proxy(url: str, share: float, seed: int = 0) -> Iterator[LossyProxy]:
    proxy = LossyProxy(url, share, seed)
    try:
        yield proxy
    finally:
        proxy.close()
