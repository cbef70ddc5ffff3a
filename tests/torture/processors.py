"""A model goes from one processor to another, with crashes between: no acknowledged step is dropped.

    PYTHONPATH=tests python -m torture.processors [--short]

OpenBLAS is told which kernels to use (OPENBLAS_CORETYPE), so that one machine computes as several would.
The service is killed after some steps. Now and then its slots are lost too, as by a loss of power: then the
newest version is computed from the ledger, and an entry `rebased` says where other kernels gave other bits.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
from pathlib import Path
from typing import NamedTuple

from support.models import ADAM, SPEC, batch
from support.service import Service, children, running_service
from torture.load import arguments, report

from deltawire import Client, Model

KERNELS = ("Haswell", "Sandybridge", "Nehalem", "Prescott")
STEPS = 6


class Acknowledged(NamedTuple):
    """The newest version that the service has answered with."""

    version: int
    params_id: str


class History:
    """What was acknowledged, what became of it, and what went wrong."""

    def __init__(self) -> None:
        self.fingerprints = set[str]()
        self.rebased = self.steps = 0
        self.wrong = list[str]()
        self._newest: Acknowledged | None = None

    def check(self, model: Model, slots_lost: bool) -> None:
        """Compare a model, after the service was killed, with what was acknowledged before."""
        saved, before = model.checkpoint(), self._newest
        if before is None:
            return
        entry = list(model.ledger(saved.version - 1))[-1]
        if entry["kind"] == "rebased":
            self.rebased += 1
            if not slots_lost or entry["from"] != before.version:
                self.wrong.append(f"rebased from {entry['from']}, {slots_lost=}, acknowledged {before}")
        elif (saved.version, saved.params_id) != before:
            self.wrong.append(f"version {saved.version} {saved.params_id}, acknowledged {before}")

    def step(self, model: Model) -> None:
        """Take some steps, and note the version that they end with."""
        for _ in range(STEPS):
            self.steps += 1
            model.step({name.removeprefix("data/"): array for name, array in batch(self.steps).items()})
        saved = model.checkpoint()
        self._newest = Acknowledged(saved.version, saved.params_id)


def kill(service: Service) -> None:
    """End all processes of a service at once."""
    for pid in (service.pid, *children(service.pid)):  # the master first: it would start others
        os.kill(pid, signal.SIGKILL)


def main() -> None:
    given = arguments("processors")
    rounds = 6 if given.short else 40
    dice, history = random.Random(given.seed), History()
    kernel, slots_lost = KERNELS[-1], False
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            kernel = dice.choice([other for other in KERNELS if other != kernel])
            environ = {"OPENBLAS_CORETYPE": kernel}
            with (
                running_service("-w", "2", data_dir=folder, log_level="error", environ=environ) as service,
                Client(service) as client,
            ):
                history.fingerprints.add(client.limits()["fingerprint"])
                if number == 0:
                    client.create_model(SPEC, name="model", optimizer=ADAM, seed=0)
                model = client.model("model")
                history.check(model, slots_lost)
                history.step(model)
                kill(service)
            slots_lost = dice.random() < 0.5
            for slot in Path(folder).glob("models/*/slots/*") if slots_lost else ():
                slot.unlink()
    report(
        {
            "seed": given.seed,
            "rounds": rounds,
            "fingerprints": len(history.fingerprints),
            "rebased": history.rebased,
            "wrong": history.wrong,
        },
        {
            "no acknowledged step is dropped": not history.wrong,
            "fingerprints differ": len(history.fingerprints) > 1,
            "the model was rebased": history.rebased > 0 or given.short,
        },
    )


if __name__ == "__main__":
    main()
