"""The data of a run: the batch of each step, and the batches that it is validated with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from deltawire.errors import Fault, Refused
from deltawire.wire import Array
from deltawire_service.datasets.rows import RowsReference, input_dtypes, resolve_rows
from deltawire_service.engine import Network
from deltawire_service.models.computation import DATA
from deltawire_service.models.model_store import ModelStore
from deltawire_service.schemas.run_requests import Recipe
from deltawire_service.store.tables.datasets import DatasetRow
from deltawire_service.training.batch_sampler import BatchSampler

ALL: Mapping[str, Any] = {"start": None, "stop": None, "indices": None}
"""All rows of a dataset, as a document names them."""

ORDER_BYTES = 40
"""Memory that finding the place of a row in a shuffled epoch takes, in bytes."""


class StepData(NamedTuple):
    """The data of a step."""

    arrays: dict[str, Array]
    """By input, named `data/x`."""
    record: dict[str, Any]
    """What the ledger keeps of it beside the id of the dataset, as JSON."""


class RunData:
    """The data of a run.

    Args:
        store: the models, and the datasets.
        network: the network of the model.
        dtype: the dtype of its parameters.
        recipe: the recipe of the run.
        dataset: the dataset that it learns from.
        validation: the dataset that it is validated with; None for none, or for rows that are held out.

    Raises:
        Refused: a column is not there, no row is left, or the rows of a step are larger than a plan may be.
        DatasetNotFound, StoreUnavailable: a dataset cannot be read.
    """

    def __init__(
        self,
        store: ModelStore,
        network: Network,
        dtype: str,
        recipe: Recipe,
        dataset: DatasetRow,
        validation: DatasetRow | None,
    ):
        self.dataset = dataset.id
        self.sampler = BatchSampler(recipe, dataset.rows)
        self._inputs = input_dtypes(network, dtype)
        self._columns = store.datasets.open(dataset)
        self._rows = self._resolve(recipe, dataset, "")
        self._validation = validation
        self._validation_columns = self._columns
        if validation:
            self._validation_columns = store.datasets.open(validation)
            self._validation_rows = self._resolve(recipe, validation, "/validation")
        self._record = self._rows.record()[0]["columns"]
        self.step_bytes = self._step_bytes()
        """Memory that the rows of a step take, in bytes."""
        self._most_bytes = most = network.limits.planned_bytes
        if self.step_bytes > most:
            detail = f"the rows of a step have {self.step_bytes} bytes, at most {most} are allowed"
            detail += network.limits.setting("planned_bytes")
            raise Refused([Fault("/batch_size", "memory_plan_exceeded", detail)])

    def step(self, number: int) -> StepData:
        """Return the data of a step; the first step of the run has the number 0.

        Raises:
            Refused: a number of a row does not fit its input.
        """
        batch = self.sampler.batch(number)
        rows = RowsReference(self.dataset, batch.rows, self._rows.sources)
        arrays = rows.gather(self._columns, self._inputs)
        named = {f"{DATA}{name}": array for name, array in arrays.items()}
        return StepData(named, {"rows": batch.record, "columns": self._record})

    def validation_batches(self) -> Iterator[dict[str, Array]]:
        """Iterate over the batches of a validation, by input.

        Each has no more rows than a step, and no more bytes than a plan may have.

        Raises:
            Refused: a number of a row does not fit its input.
        """
        count = self._validation.rows if self._validation else self.sampler.held_out_count
        size = self._validation_rows_at_once()
        for start in range(0, count, size):
            stop = min(start + size, count)
            if self._validation:
                rows = RowsReference(self._validation.id, slice(start, stop), self._validation_rows.sources)
            else:
                rows = RowsReference(self.dataset, self.sampler.held_out(start, stop), self._rows.sources)
            yield rows.gather(self._validation_columns, self._inputs)

    def _validation_rows_at_once(self) -> int:
        sources = self._validation_rows.sources if self._validation else self._rows.sources
        one = RowsReference("", slice(0, 1), sources)
        per_row = one.gathered_bytes(self._validation_columns, self._inputs) + ORDER_BYTES
        return max(1, min(self.sampler.largest_batch, self._most_bytes // per_row))

    def _step_bytes(self) -> int:
        count = self.sampler.largest_batch
        rows = RowsReference(self.dataset, slice(0, count), self._rows.sources)
        return rows.gathered_bytes(self._columns, self._inputs) + ORDER_BYTES * count

    def _resolve(self, recipe: Recipe, dataset: DatasetRow, pointer: str) -> RowsReference:
        """Return all rows of a dataset with the columns that the recipe names."""
        columns = self._validation_columns if pointer else self._columns
        reference = {"rows": ALL, "columns": recipe.columns}
        return resolve_rows(reference, dataset, columns, self._inputs, pointer=pointer)
