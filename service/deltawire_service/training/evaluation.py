"""The validation of a run: the loss of rows that it does not learn from, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from time import sleep

import numpy as np

from deltawire.wire import Array
from deltawire_service.admission.compute_queue import Overloaded
from deltawire_service.datasets.fault_places import naming_rows
from deltawire_service.engine import Network
from deltawire_service.models.computation import STORED
from deltawire_service.models.numbers import Numbers
from deltawire_service.schemas.run_requests import EarlyStopping
from deltawire_service.store.tables.runs import Progress
from deltawire_service.training.guard import Guard
from deltawire_service.training.run_data import ValidationBatch

PAUSE = 0.05
"""Seconds before a batch asks again for the memory that requests hold."""


def mean_loss(
    network: Network,
    numbers: Numbers,
    batches: Iterator[ValidationBatch],
    on_batch: Callable[[], None],
    guard: Guard,
) -> float:
    """Return the mean of the examples' losses, without the regularization.

    Args:
        network: the network.
        numbers: its parameters, and the inputs that its model keeps.
        batches: the examples.
        on_batch: called after each batch, and while one waits for memory; an error in it ends the
            validation.
        guard: bounds what a batch takes.

    Raises:
        Refused: an array does not fit, or a loss is not finite.
        PluginError: as for `Network.gradients`.
    """
    total, count = 0.0, 0
    for batch in batches:
        with naming_rows(batch.rows, batch.arrays, ""):
            data = {**numbers.constants, **batch.arrays}
            losses = _losses(network, numbers.params, data, on_batch, guard)
        total += float(losses.sum(dtype=np.float64))
        count += len(losses)
        on_batch()
    return total / count


def _losses(
    network: Network,
    params: Mapping[str, Array],
    data: Mapping[str, Array],
    on_wait: Callable[[], None],
    guard: Guard,
) -> Array:
    """Return the loss of each example of a batch. Requests that hold its memory are waited for."""
    while True:
        try:
            with guard.computing():
                return network.gradients(params, data, wrt_params=False, body_cost=STORED).losses
        except Overloaded:
            on_wait()
            sleep(PAUSE)


def is_best(loss: float, progress: Progress) -> bool:
    """Return whether the loss of a validation is the smallest of its run.

    progress: the run until then.
    """
    return progress.best_loss is None or loss < progress.best_loss


def count_misses(loss: float, progress: Progress, early_stopping: EarlyStopping | None) -> int:
    """Return how many validations in a row, up to this one, were not smaller by the least difference.

    Args:
        loss: the loss of this validation; it is compared with the smallest one before.
        progress: the run until then.
        early_stopping: has the least difference; None for 0.
    """
    delta = early_stopping.min_delta if early_stopping else 0.0
    return 0 if progress.best_loss is None or loss < progress.best_loss - delta else progress.misses + 1


def has_stopped_early(progress: Progress, early_stopping: EarlyStopping | None) -> bool:
    """Return whether so many validations in a row were misses that the run ends."""
    return early_stopping is not None and progress.misses >= early_stopping.patience
