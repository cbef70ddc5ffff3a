"""S12: the service is told to stop again and again, under load: whoever uses the SDK does not notice.

    PYTHONPATH=tests python -m torture.restarts [--short]

Clients call without a pause; gunicorn gets SIGTERM, must end with status 0, and is started anew at the same
address. It is stopped again when each of them has been answered since: the SDK repeats a call for some
seconds, and a service that is there for a tenth of a second at a time is one that does not run.
"""

from __future__ import annotations

import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import count

import numpy as np
import requests
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
        self.failed, self.wrong = list[str](), count()
        self.done = [0] * CLIENTS
        self.slowest = 0.0
        dice = np.random.default_rng(seed)
        self._params = {"l.weight": dice.normal(size=(4, 8)), "l.bias": dice.normal(size=4)}
        self._data = {"x": dice.normal(size=(16, 8)), "y": dice.normal(size=16)}
        with Client() as client:
            self._right = client.value_and_grad(network(), self._params, self._data)

    def call(self, client_number: int, media_type: str, calls: int) -> None:
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
                self.done[client_number] += 1


def wait_for(url: str) -> None:
    """Wait until a service answers, for half a minute at most."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            if requests.get(f"{url}/readyz", timeout=1).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise SystemExit(f"no service answers at {url}")


def main() -> None:
    given = arguments("restarts")
    restarts, calls = (3, 1_200) if given.short else (50, 20_000)
    port = free_port()
    load = Load(f"http://127.0.0.1:{port}", given.seed)

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(command(port), env=environment(log_level="error"), stdout=subprocess.DEVNULL)

    service, statuses, down = start(), list[int](), list[float]()
    try:
        wait_for(load.url)  # the SDK soon gives up a service that was never there
        with ThreadPoolExecutor(CLIENTS) as clients:
            each = calls // CLIENTS
            media_types = CLIENTS // 2 * [*wire.MEDIA_TYPES]
            calling = [clients.submit(load.call, *one, each) for one in enumerate(media_types)]
            for restart in range(restarts):
                due, before = (restart + 1) * calls // (restarts + 1), [*load.done]
                while not all(client.done() for client in calling):
                    answered = (
                        now > then or now == each for now, then in zip(load.done, before, strict=True)
                    )
                    if sum(load.done) >= due and all(answered):
                        break
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
            "requests": sum(load.done),
            "failed": len(load.failed),
            "failures": load.failed[:5],
            "wrong": wrong,
            "exit_statuses_not_0": sum(status != 0 for status in statuses),
            "stopping_seconds_longest": round(max(down), 2),
            "call_seconds_longest": round(load.slowest, 2),
        },
        {
            "no request failed": not load.failed and sum(load.done) == calls,
            "every answer right": wrong == 0,
            "every exit status 0": not any(statuses),
        },
    )


if __name__ == "__main__":
    main()
