"""Readers of a model that is stepped at full rate: each answer has the numbers of the version that it names.

    PYTHONPATH=tests python -m torture.readers [--short]

Some readers ask for the newest version, some for one by its number, some compute with one of them. All
versions are computed again afterwards, and every answer is compared with the version that it named.
"""

from __future__ import annotations

import random
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import NamedTuple

from support.engine import compiled
from support.models import ADAM, OPTIMIZERS, SPEC, batch
from support.service import running_service
from torture.load import arguments, report

from deltawire import Client, Model
from deltawire.wire import Array
from deltawire_optimizers import Step, init_state, update
from deltawire_service.networks.published import params_id

READERS = 6
EXAMPLE = {name.removeprefix("data/"): array for name, array in batch(0).items()}


class Seen(NamedTuple):
    """What a reader was answered: the version, and the digest of its parameters or the values of a node."""

    version: int
    params_id: str | None = None
    scores: bytes | None = None


def read(model: Model, place: int, newest: list[int], done: Event) -> list[Seen]:
    """Read until the steps are done; return what was seen.

    Args:
        model: the model.
        place: decides what this reader asks for.
        newest: the newest version that was answered to whoever steps.
        done: is set when there are no more steps.
    """
    dice, seen = random.Random(place), list[Seen]()
    while not done.is_set():
        chosen = dice.randrange(newest[0] + 1)
        if place % 3 == 0:
            saved = model.checkpoint()
            seen.append(Seen(saved.version, params_id(saved.params)))
        elif place % 3 == 1:
            saved = model.checkpoint(chosen)
            assert saved.version == chosen
            seen.append(Seen(chosen, params_id(saved.params)))
        else:
            scores: Array = model.at(chosen).forward({"x": EXAMPLE["x"]}, values=["scores"])["scores"]
            seen.append(Seen(chosen, scores=scores.tobytes()))
    return seen


def recompute(steps: int) -> list[Seen]:
    """Return what there is to see of each version, computed in memory."""
    network, optimizer = compiled(SPEC), OPTIMIZERS[ADAM["kind"]](**ADAM["config"])
    params = network.init(0)
    state, seen = init_state(optimizer, params), list[Seen]()
    for number in range(steps + 1):
        if number:
            data = {name.removeprefix("data/"): array for name, array in batch(number).items()}
            gradients = network.gradients(params, data).params
            update(optimizer, params, gradients, state, Step(number, optimizer.learning_rate))
        scores = network.forward(params, {"x": EXAMPLE["x"]}, ["scores"])["scores"]
        seen.append(Seen(number, params_id(params), scores.tobytes()))
    return seen


def main() -> None:
    given = arguments("readers")
    steps = 200 if given.short else 2000
    newest, done = [0], Event()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_service("-w", "2", data_dir=folder, log_level="error") as service,
        Client(service) as client,
        ThreadPoolExecutor(READERS) as readers,
    ):
        model = client.create_model(SPEC, name="model", optimizer=ADAM, seed=0)
        reading = [readers.submit(read, model, place, newest, done) for place in range(READERS)]
        began = time.monotonic()
        try:
            for number in range(1, steps + 1):
                data = {name.removeprefix("data/"): array for name, array in batch(number).items()}
                newest[0] = model.step(data).version
        finally:
            done.set()
        seconds = time.monotonic() - began
        answers = [seen for reader in reading for seen in reader.result()]
    right = recompute(steps)
    wrong = [
        seen.version
        for seen in answers
        if seen.params_id not in (None, right[seen.version].params_id)
        or seen.scores not in (None, right[seen.version].scores)
    ]
    report(
        {
            "seed": given.seed,
            "steps": steps,
            "seconds": round(seconds, 1),
            "reads": len(answers),
            "wrong": wrong,
        },
        {"every answer has its version": not wrong, "there were reads": len(answers) > steps / 10},
    )


if __name__ == "__main__":
    main()
