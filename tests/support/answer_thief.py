"""A proxy that closes connections in place of some answers: the request was done, and nobody is told."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Thread
from urllib.parse import urlsplit


class AnswerThief:
    """Passes requests on, and a share of the answers.

    Args:
        url: the address of the service.
        share: the share of the answers that are lost.
        seed: which ones.
    """

    def __init__(self, url: str, share: float, seed: int):
        address = urlsplit(url)
        self._service = address.hostname, address.port
        self._share, self._dice, self._lock = share, random.Random(seed), Lock()
        self.lost = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError), socket.create_connection(self._service) as service:
            Thread(target=self._pass_requests, args=(client, service), daemon=True).start()
            try:
                while (data := service.recv(2**16)) and not self._steals():
                    client.sendall(data)
            finally:  # closing alone does not end what the other thread waits for
                for end in (client, service):
                    end.shutdown(socket.SHUT_RDWR)

    def _pass_requests(self, client: socket.socket, service: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(2**16):
                service.sendall(data)
            service.shutdown(socket.SHUT_WR)

    def _steals(self) -> bool:
        with self._lock:
            stolen = self._dice.random() < self._share
            self.lost += stolen
        return stolen


@contextmanager
def dropping_answers(url: str, share: float, seed: int = 0) -> Iterator[AnswerThief]:
    """Run a proxy before a service until the block ends.

    url, share, seed: as for `AnswerThief`.
    """
    thief = AnswerThief(url, share, seed)
    try:
        yield thief
    finally:
        thief.close()
