"""S12: the service is told to stop again and again, under load: whoever uses the SDK does not notice.

    PYTHONPATH=tests python -m torture.restarts [--short]

Clients call without a pause; gunicorn gets SIGTERM, must end with status 0, and is started anew at the same
address.
"""

from __future__ import annotations

import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import count

import numpy as np
from support.service import command, environment, free_port
from torture.load import arguments, report

from deltawire import Client, Network, wire
from deltawire.errors import DeltawireError

CLIENTS = 4


def network() -> Network:
    net = Network()
    x, y = net.input("x", shape=(8,)), net.input("y", shape=())
    net.loss = net.layer("squared_error", net.layer("sum", net.layer("linear", x, units=4, name="l")), y)
    return net


class Load:
    """What the clients have called, and what became of it."""

    def __init__(self, url: str, seed: int):
        self.url = url
        self.answered, self.failed, self.wrong = count(), list[str](), count()
        self.done = 0
        self.slowest = 0.0
        dice = np.random.default_rng(seed)
        self._params = {"l.weight": dice.normal(size=(4, 8)), "l.bias": dice.normal(size=4)}
        self._data = {"x": dice.normal(size=(16, 8)), "y": dice.normal(size=16)}
        with Client() as client:
            self._right = client.value_and_grad(network(), self._params, self._data)

    def call(self, media_type: str, calls: int) -> None:
        """So many calls, one after the other."""
        spec = network()
        with Client(self.url, media_type=media_type) as client:
            for _ in range(calls):
                began = time.monotonic()
                try:
                    loss, grads = client.value_and_grad(spec, self._params, self._data)
                except DeltawireError as error:
                    self.failed.append(f"{type(error).__name__}: {error}")
                else:
                    same = loss == self._right[0] and all(
                        np.array_equal(grads[name], array) for name, array in self._right[1].items()
                    )
                    if not same:
                        next(self.wrong)
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.done = next(self.answered) + 1


def main() -> None:
    given = arguments("restarts")
    restarts, calls = (3, 1_200) if given.short else (50, 20_000)
    port = free_port()
    load = Load(f"http://127.0.0.1:{port}", given.seed)

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(command(port), env=environment(log_level="error"), stdout=subprocess.DEVNULL)

    service, statuses, down = start(), list[int](), list[float]()
    try:
        with ThreadPoolExecutor(CLIENTS) as clients:
            each = calls // CLIENTS
            calling = [clients.submit(load.call, media, each) for media in 2 * [*wire.MEDIA_TYPES]]
            for restart in range(restarts):
                due = (restart + 1) * calls // (restarts + 1)
                while load.done < due and not all(client.done() for client in calling):
                    time.sleep(0.005)
                service.send_signal(signal.SIGTERM)
                began = time.monotonic()
                statuses.append(service.wait(timeout=60))
                down.append(time.monotonic() - began)
                service = start()
            wait(calling)
            for client in calling:
                client.result()
    finally:
        service.terminate()
        statuses.append(service.wait(timeout=60))
    wrong = next(load.wrong)
    report(
        {
            "seed": given.seed,
            "restarts": restarts,
            "requests": load.done,
            "failed": len(load.failed),
            "failures": load.failed[:5],
            "wrong": wrong,
            "exit_statuses_not_0": sum(status != 0 for status in statuses),
            "stopping_seconds_longest": round(max(down), 2),
            "call_seconds_longest": round(load.slowest, 2),
        },
        {
            "no request failed": not load.failed and load.done == calls,
            "every answer right": wrong == 0,
            "every exit status 0": not any(statuses),
        },
    )


if __name__ == "__main__":
    main()
