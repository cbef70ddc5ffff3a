"""The batches of a run: which rows each of its steps takes, and when it is validated."""

from __future__ import annotations

from typing import Any, NamedTuple

from deltawire.errors import Fault, Refused
from deltawire_service.datasets.columns import Rows
from deltawire_service.datasets.row_order import EpochRows, held_out_rows
from deltawire_service.schemas.run_requests import Recipe

CHUNK = 2**14
"""Places of an order that are computed at once."""


class Batch(NamedTuple):
    """The rows of a step."""

    rows: Rows
    record: dict[str, Any]
    """The rows as the ledger keeps them, as JSON."""


class BatchSampler:
    """The batches of a run, each a function of its number alone.

    Args:
        recipe: the recipe of the run.
        rows: number of rows of its dataset.

    Raises:
        Refused: no row is left to learn from, or to validate with.
    """

    def __init__(self, recipe: Recipe, rows: int):
        self._recipe = recipe
        self._rows = rows
        fraction = recipe.validation.fraction if recipe.validation else None
        self._held_out = 0 if fraction is None else round(fraction * rows)
        self._check(fraction)
        self.rows_per_epoch = rows - self._held_out
        self.batches_per_epoch = -(-self.rows_per_epoch // recipe.batch_size)
        self.total_steps = recipe.steps or (recipe.epochs or 1) * self.batches_per_epoch
        self._chunk = EpochRows(0, 0, 0, 0, 0)
        self._indices = self._chunk.indices()

    def batch(self, number: int) -> Batch:
        """Return the rows of a step; the first step of the run has the number 0."""
        epoch, place = divmod(number, self.batches_per_epoch)
        start = place * self._recipe.batch_size
        stop = min(start + self._recipe.batch_size, self.rows_per_epoch)
        if not self._recipe.shuffle:
            return Batch(slice(start, stop), {"start": start, "stop": stop})
        rows = self._epoch_rows(epoch + 1, start, stop)
        if not (self._chunk.epoch == rows.epoch and self._chunk.start <= start and stop <= self._chunk.stop):
            self._chunk = rows.until(max(stop, min(start + CHUNK, self.rows_per_epoch)))
            self._indices = self._chunk.indices()
        begin = start - self._chunk.start
        return Batch(self._indices[begin : begin + stop - start], rows.document())

    def held_out(self, start: int, stop: int) -> Rows:
        """Return some of the rows that no step takes, counted among themselves; `held_out_count` has all."""
        first = self._rows - self._held_out
        if not self._recipe.shuffle:
            return slice(first + start, first + stop)
        return held_out_rows(self._rows, self._recipe.seed, self._held_out, start, stop)

    @property
    def largest_batch(self) -> int:
        """The number of rows of a step, at most."""
        return min(self._recipe.batch_size, self.rows_per_epoch)

    @property
    def held_out_count(self) -> int:
        """The number of rows that no step takes."""
        return self._held_out

    def examples(self, steps: int) -> int:
        """Return how many rows so many steps take, those of every epoch."""
        epochs, batches = divmod(steps, self.batches_per_epoch)
        return epochs * self.rows_per_epoch + batches * self._recipe.batch_size

    def steps_until_validation(self, steps: int) -> int:
        """Return how many more steps are taken before the run is validated, or ends.

        A run is validated at its end too.

        steps: the number of steps that were taken.
        """
        left = self.total_steps - steps
        if self._recipe.validation is None:
            return left
        every = self._recipe.validation.every or self.batches_per_epoch
        return min(left, every - steps % every)

    def is_validated_after(self, steps: int) -> bool:
        """Return whether the run is validated after so many steps."""
        if self._recipe.validation is None or steps == 0:
            return False
        every = self._recipe.validation.every or self.batches_per_epoch
        return steps % every == 0 or steps == self.total_steps

    def _epoch_rows(self, epoch: int, start: int, stop: int) -> EpochRows:
        return EpochRows(self._recipe.seed, epoch, start, stop, self._rows, self._held_out)

    def _check(self, fraction: float | None) -> None:
        if not self._rows:
            raise Refused([Fault("/dataset", "batch_empty", "the dataset has no rows to learn from")])
        if fraction is not None and not 0 < self._held_out < self._rows:
            detail = f"{self._held_out} of {self._rows} rows would be held out: some must be, and not all"
            raise Refused([Fault("/validation/fraction", "field_invalid", detail)])
