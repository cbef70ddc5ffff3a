"""SDK clients train while workers are killed and answers get lost: no step is lost, and none is doubled.

    PYTHONPATH=tests python -m torture.trainers [--short]

Eight clients take numbered steps of Adam through a proxy that closes connections in place of answers. Workers
of a gunicorn with four get SIGKILL every few steps. At the end every number has one version. The parameters
are those of a plain recomputation in the order of the versions, and those that a process of its own computes
from the ledger.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from math import inf
from pathlib import Path
from threading import Lock

from support.lossy import lossy_proxy
from support.models import ADAM, SPEC, batch, open_store
from support.service import Service, children, running_service
from torture.load import arguments, report
from torture.steppers import model_of, recompute

from deltawire import Client
from deltawire.errors import Unreachable
from deltawire_service.models.versions import open_version
from deltawire_service.networks.published import params_id

CLIENTS, WORKERS = 8, 4
DROPPED = 0.3
"""Share of the answers that do not reach their client."""


class Training:
    """The steps that were taken: version by number.

    Args:
        url: the address of the service.
        models: how many models there are.
    """

    def __init__(self, url: str, models: int):
        self.versions = dict[int, int]()
        self.replayed = self.asked_again = 0
        self._url, self._models, self._lock = url, models, Lock()

    def take(self, first: int, stop: int) -> None:
        """Take every eighth step, with its number as its key; ask again where the SDK has given up."""
        with Client(self._url) as client:
            models = {name: client.model(name) for name in map(self._model_of, range(self._models))}
            for number in range(first, stop, CLIENTS):
                data = {name.removeprefix("data/"): array for name, array in batch(number).items()}
                result = None
                while result is None:
                    try:
                        result = models[self._model_of(number)].step(data, key=f"step-{number}")
                    except Unreachable:
                        self.asked_again += 1
                with self._lock:
                    self.versions[number] = result.version
                    self.replayed += result.replayed

    def numbers_of(self, name: str) -> list[int]:
        """Return the numbers of a model's steps in the order of their versions."""
        mine = {version: n for n, version in self.versions.items() if self._model_of(n) == name}
        return [mine[version] for version in sorted(mine)]

    def _model_of(self, number: int) -> str:
        return model_of(number, self._models)


def kill_workers(
    service: Service, training: Training, calls: list[Future[None]], steps: int, kills: int
) -> int:
    """Kill a worker every few steps, chosen by chance, until all calls are done; return how many."""
    dice, killed = random.Random(steps), 0
    while not all(call.done() for call in calls):
        workers = sorted(children(service.pid))
        if workers and len(training.versions) >= (killed + 1) * steps // (kills + 1):
            os.kill(dice.choice(workers), signal.SIGKILL)
            killed += 1
        time.sleep(0.002)
    return killed


def compute_again(folder: str, name: str) -> str:
    """Return the params_id of the newest version, computed from the ledger in a process of its own."""
    command = [sys.executable, "-m", "torture.trainers", "replay", folder, name]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def replay(folder: str, name: str) -> None:
    """Print the params_id of the newest version without the help of its slot, which is removed."""
    store = open_store(Path(folder))
    for slot in store.folder_of(store.find("", name).id).slots.iterdir():
        slot.unlink()
    with open_version(store, "", name, inf) as version:
        print(params_id(version.numbers.params))


def run(folder: str, steps: int, kills: int, models: int, seed: int) -> dict[str, object]:
    """Train, kill and drop; return the figures."""
    names = [model_of(number, models) for number in range(models)]
    with (
        running_service("-w", str(WORKERS), data_dir=folder, log_level="error") as service,
        Client(service) as client,
        lossy_proxy(service, DROPPED, seed) as proxy,
    ):
        for name in names:
            client.create_model(SPEC, name=name, optimizer=ADAM, seed=0)
        training, began = Training(proxy.url, models), time.monotonic()
        with ThreadPoolExecutor(CLIENTS) as clients:
            calls = [clients.submit(training.take, first, steps) for first in range(CLIENTS)]
            killed = kill_workers(service, training, calls, steps, kills)
        for call in calls:
            call.result()
        seconds = time.monotonic() - began
        saved = {name: client.model(name).checkpoint() for name in names}
    wrong = list[str]()
    for name, checkpoint in saved.items():
        numbers = training.numbers_of(name)
        if len(numbers) != checkpoint.version:
            wrong.append(f"{name}: {checkpoint.version} versions for {len(numbers)} answers")
        elif checkpoint.params_id != recompute(numbers):
            wrong.append(f"{name}: other parameters than those of a recomputation")
        elif checkpoint.params_id != compute_again(folder, name):
            wrong.append(f"{name}: other parameters than those of its ledger")
    return {
        "steps": len(training.versions),
        "killed": killed,
        "answers lost": proxy.lost,
        "replayed": training.replayed,
        "asked again": training.asked_again,
        "seconds": round(seconds, 1),
        "wrong": wrong,
    }


def main() -> None:
    if sys.argv[1:2] == ["replay"]:
        replay(*sys.argv[2:4])
        return
    given = arguments("trainers")
    steps, kills = (400, 40) if given.short else (10_000, 1000)
    figures = {"seed": given.seed}
    reached = dict[str, bool]()
    for models in (1, 8):
        with tempfile.TemporaryDirectory() as folder:
            found = run(f"{folder}/store", steps, kills, models, given.seed)
        figures[f"{models} models"] = found
        reached[f"{models} models: nothing lost or doubled"] = not found["wrong"] and found["steps"] == steps
        reached[f"{models} models: workers were killed"] = found["killed"] == kills
    report(figures, reached)


if __name__ == "__main__":
    main()
