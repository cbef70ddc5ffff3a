"""Processes that step one model, or eight, and are killed all the time: no step is lost, and none is doubled.

    PYTHONPATH=tests python -m torture.steppers [--short]

Each process takes its share of numbered steps, with the number as the Idempotency-Key. One of them is killed
every few steps; its successor asks for the step again that was not answered. At the end every number has one
version, and the parameters are those of a plain recomputation in the order of the versions.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

from support.engine import compiled
from support.models import ADAM, OPTIMIZERS, OWNER, SPEC, batch, create, id_of, open_store, step
from torture.load import arguments, report

from deltawire_optimizers import Step, init_state, update
from deltawire_service.networks.published import params_id

PROCESSES = 4


def model_of(number: int, models: int) -> str:
    return f"model{number % models}"


def work(folder: str, first: int, stop: int, models: int) -> None:
    """Take every fourth step, and print its number and its version; this is what a process runs."""
    store = open_store(Path(folder))
    for number in range(first, stop, PROCESSES):
        answer = step(store, number, model_of(number, models), key=str(number))
        print(number, answer["version"], int(answer["replayed"]), flush=True)


class Stepper:
    """A share of the steps, taken by one process after the other.

    Args:
        folder: the folder of the store.
        first: the number of its first step.
        stop: the number of all steps.
        models: how many models there are.
    """

    def __init__(self, folder: Path, first: int, stop: int, models: int):
        self.versions = dict[int, int]()
        self.replayed = 0
        self._folder, self._next, self._stop, self._models = folder, first, stop, models
        self._process = self._start()
        self._thread = Thread(target=self._follow)
        self._thread.start()

    def kill(self) -> None:
        self._process.kill()

    def join(self) -> None:
        self._thread.join()

    def _start(self) -> subprocess.Popen[str]:
        numbers = map(str, (self._next, self._stop, self._models))
        command = [sys.executable, "-m", "torture.steppers", "work", str(self._folder), *numbers]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def _follow(self) -> None:
        while True:
            for number, version, replayed in self._answers():
                self.versions[number] = version
                self.replayed += replayed
                self._next = number + PROCESSES
            if self._process.wait() == 0:
                return
            self._process = self._start()

    def _answers(self) -> Iterator[tuple[int, int, int]]:
        assert self._process.stdout
        for line in self._process.stdout:
            if line.endswith("\n"):  # else it was cut off: the answer did not come
                number, version, replayed = map(int, line.split())
                yield number, version, replayed


def recompute(numbers: list[int]) -> str:
    """Take steps one after the other in memory, and return the params_id."""
    network, optimizer = compiled(SPEC), OPTIMIZERS[ADAM["kind"]](**ADAM["config"])
    params = network.init(0)
    state = init_state(optimizer, params)
    for position, number in enumerate(numbers, 1):
        data = {name.removeprefix("data/"): array for name, array in batch(number).items()}
        gradients = network.gradients(params, data).params
        update(optimizer, params, gradients, state, Step(position, optimizer.learning_rate))
    return params_id(params)


def run(folder: Path, steps: int, kills: int, models: int, seed: int) -> dict[str, object]:
    """Take steps with models, kill processes meanwhile, and return the figures."""
    store = open_store(folder)
    for number in range(models):
        create(store, model_of(number, models))
    store.database.close()
    began, dice = time.monotonic(), random.Random(seed)
    steppers = [Stepper(folder, first, steps, models) for first in range(PROCESSES)]
    killed = 0
    while (answered := sum(len(stepper.versions) for stepper in steppers)) < steps:
        if answered >= (killed + 1) * steps // (kills + 1):
            dice.choice(steppers).kill()
            killed += 1
        time.sleep(0.001)
    for stepper in steppers:
        stepper.join()
    seconds = time.monotonic() - began
    versions = {number: version for each in steppers for number, version in each.versions.items()}
    wrong = list[str]()
    store = open_store(folder)
    for number in range(models):
        name = model_of(number, models)
        mine = {version: each for each, version in versions.items() if model_of(each, models) == name}
        newest = store.find(OWNER, name).version
        if sorted(mine) != list(range(1, newest + 1)):
            wrong.append(f"{name}: {newest} versions for {len(mine)} answers")
        elif id_of(store, name) != recompute([mine[version] for version in sorted(mine)]):
            wrong.append(f"{name}: other parameters than those of a recomputation")
    store.database.close()
    replayed = sum(stepper.replayed for stepper in steppers)
    return {"killed": killed, "replayed": replayed, "seconds": round(seconds, 1), "wrong": wrong}


def main() -> None:
    if sys.argv[1:2] == ["work"]:
        work(sys.argv[2], *map(int, sys.argv[3:6]))
        return
    given = arguments("steppers")
    steps, kills = (200, 10) if given.short else (10_000, 1000)
    figures = dict[str, object](seed=given.seed, steps=steps)
    for models in (1, 8):
        with tempfile.TemporaryDirectory() as folder:
            figures[f"{models} models"] = run(Path(folder) / "store", steps, kills, models, given.seed)
    wrong = {name: each["wrong"] for name, each in figures.items() if isinstance(each, dict)}
    report(figures, {f"nothing lost or doubled: {name}": not found for name, found in wrong.items()})


if __name__ == "__main__":
    main()
