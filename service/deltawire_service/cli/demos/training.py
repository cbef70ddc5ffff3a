"""Demos, and how they learn: by a run of the service, which is watched until its end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

from rich.console import Console

from deltawire import Client, Model, Network
from deltawire.datasets.catalogue import Uploads
from deltawire.optim import Optimizer
from deltawire.runs.progress import Progress
from deltawire.runs.run import Run
from deltawire.wire import Array
from deltawire_service.cli.demos.interrupts import without_interrupts
from deltawire_service.cli.demos.progress import open_progress

Columns = dict[str, Array]
"""Arrays by column, (rows, *shape)."""

PARTS = 4
"""Parts of a run; after each but the last, the demo shows what the model has learned so far."""


class Demo(ABC):
    """A network, the rows that it learns from, and what is shown of it.

    Attributes:
        name: The name of the demo, which begins those of the model and of its datasets.
        training: The rows that it learns from.
        validation: The rows that it is validated with.
        epochs: How often all rows are taken, by default.
        batch_size: Rows of a step.
        validate_every: Steps from one validation to the next; None for those of an epoch.
        dtype: Of the parameters.
    """

    name: str
    training: Columns
    validation: Columns
    epochs: int
    batch_size: int
    validate_every: int | None = None
    dtype: str = "float64"

    @abstractmethod
    def network(self) -> Network:
        """Return the network."""

    @abstractmethod
    def optimizer(self, steps: int) -> Optimizer:
        """Return the optimizer of a run of so many steps."""

    @abstractmethod
    def show_before(self, model: Model, screen: Console) -> None:
        """Print what there is to learn, and what the model does before it has learned."""

    @abstractmethod
    def show_between(self, model: Model, screen: Console, steps: int) -> None:
        """Print what the model does while the run goes on.

        Args:
            model: The model.
            screen: Where it is printed.
            steps: Steps that were taken.
        """

    @abstractmethod
    def show_after(self, model: Model, screen: Console) -> bool:
        """Print what the model has learned, and return whether that is enough."""


class Trained(NamedTuple):
    """A run that has ended.

    Attributes:
        model: The model.
        dataset: The name of the dataset that it has learned from.
        run: The id of the run.
    """

    model: Model
    dataset: str
    run: str


def train(demo: Demo, client: Client, screen: Console, address: str, *, epochs: int, seed: int) -> Trained:
    """Have a service learn a demo by a run, and show the run until it has ended.

    Args:
        demo: The demo.
        client: Calls the service.
        screen: The terminal.
        address: Of the service, for people.
        epochs: How often all rows are taken.
        seed: Of the first parameters and the order of the rows.

    Raises:
        KeyboardInterrupt: The run is cancelled.
        ServiceFailed: The run has failed.
    """
    name = f"demo-{demo.name}"
    rows = len(next(iter(demo.training.values())))
    optimizer = demo.optimizer(epochs * -(-rows // demo.batch_size))
    model = client.create_model(
        demo.network(), name=_free_name(client, name), optimizer=optimizer, seed=seed, dtype=demo.dtype
    )
    with Uploads(client) as uploads:
        training = uploads.arrays(f"{name}-training", demo.training)
        validation = uploads.arrays(f"{name}-validation", demo.validation)
    demo.show_before(model, screen)
    start = partial(
        model.fit, training, epochs=epochs, batch_size=demo.batch_size, seed=seed, validation=validation,
        validate_every=demo.validate_every, wait=False,
    )  # fmt: skip
    with _cancelled_by_interrupts(start, screen) as run:
        screen.print(f"\nmodel {model.name} learns by a run on the service. Its page:")
        screen.print(f"  {run_page(address, run.id)}\n", soft_wrap=True)
        with open_progress(screen, run.describe()) as progress:
            run.wait(progress=_Looks(progress, demo, model, screen))
    return Trained(model, training.name, run.id)


def run_page(address: str, run: str) -> str:
    """Return the address of the page that draws the curve of a run."""
    return f"{address.rstrip('/')}/models#curves=run:{run}"


def _free_name(client: Client, name: str) -> str:
    """Return the name of a model that is not there yet: `demo-digits`, `demo-digits-2` …"""
    taken = {model["name"] for model in client.models()}
    names = (name, *(f"{name}-{number}" for number in range(2, len(taken) + 2)))
    return next(each for each in names if each not in taken)


@contextmanager
def _cancelled_by_interrupts(start: Callable[[], Run], screen: Console) -> Iterator[Run]:
    """Start a run, and cancel it when an interrupt ends the block."""
    run: Run | None = None
    try:
        with without_interrupts():
            run = start()
        yield run
    except KeyboardInterrupt:
        if run is not None:
            run.cancel()
            screen.print("stopped: the run is cancelled")
        raise


class _Looks:
    """Shows the progress of a run, and what the model has learned after each part of it."""

    def __init__(self, progress: Progress, demo: Demo, model: Model, screen: Console):
        self._progress, self._demo, self._model, self._screen = progress, demo, model, screen
        self._shown = 0

    def add(self, loss: float | None, validation_loss: float | None) -> None:
        self._progress.add(loss, validation_loss)

    def update(self, description: Mapping[str, Any]) -> None:
        self._progress.update(description)
        part = description["steps"] * PARTS // description["total_steps"]
        if self._shown < part < PARTS:
            self._shown = part
            self._demo.show_between(self._model, self._screen, description["steps"])
