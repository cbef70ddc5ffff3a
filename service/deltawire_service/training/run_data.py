"""The data of a run: the batch of each step, and the batches that it is validated with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

from deltawire.errors import Fault, Refused
from deltawire.wire import Array
from deltawire_service.datasets.columns import Columns
from deltawire_service.datasets.fault_places import naming_rows
from deltawire_service.datasets.rows import RowsReference, input_dtypes, resolve_rows
from deltawire_service.engine import Network
from deltawire_service.models.computation import DATA, StepWork
from deltawire_service.models.model_store import ModelStore
from deltawire_service.schemas.dataset_requests import RowsSchema
from deltawire_service.schemas.run_requests import Recipe
from deltawire_service.store.tables.datasets import DatasetRow
from deltawire_service.training.batch_sampler import BatchSampler
from deltawire_service.training.finite_columns import check_finite

ALL: Mapping[str, Any] = RowsSchema().load({})
"""All rows of a dataset, as a document names them."""

ORDER_BYTES = 40
"""Memory that finding the place of a row in a shuffled epoch takes, in bytes."""


class StepData(NamedTuple):
    """The data of a step."""

    rows: RowsReference
    arrays: dict[str, Array]
    """By input."""
    record: dict[str, Any]
    """What the ledger keeps of it beside the id of the dataset, as JSON."""

    def work(self, network: Network, reduction: str) -> StepWork:
        """Return the work of the step.

        Args:
            network: the network.
            reduction: `mean` or `sum` of the examples' losses.
        """
        named = {f"{DATA}{name}": array for name, array in self.arrays.items()}
        return StepWork(network, reduction, named)


class ValidationBatch(NamedTuple):
    """Some of the examples that a run is validated with."""

    rows: RowsReference
    arrays: dict[str, Array]
    """By input."""


@contextmanager
def pointing_to_validation() -> Iterator[None]:
    """Have refusals point to the dataset of the validation: its columns are named for both datasets."""
    try:
        yield
    except Refused as refused:
        faults = [replace(fault, pointer="/validation/dataset") for fault in refused.faults]
        raise refused.with_faults(faults) from refused


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
        self._datasets, self._dataset = store.datasets, dataset
        self.sampler = BatchSampler(recipe, dataset.rows)
        self._inputs = input_dtypes(network, dtype)
        self._columns = store.datasets.open(dataset)
        self._rows = self._resolve(recipe, dataset, self._columns)
        self._validation = validation
        self._validation_columns = self._columns
        if validation:
            self._validation_columns = store.datasets.open(validation)
            with pointing_to_validation():
                self._validation_rows = self._resolve(recipe, validation, self._validation_columns)
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
        with naming_rows(rows, {}, ""):
            arrays = rows.gather(self._columns, self._inputs)
        return StepData(rows, arrays, {"rows": batch.record, "columns": self._record})

    def check_finite(self) -> None:
        """Look for columns that no run can learn from. Raises Refused where there is one."""
        check_finite(self._datasets.columns(self._dataset), self._rows, self._inputs)
        if self._validation:
            with pointing_to_validation():
                check_finite(self._datasets.columns(self._validation), self._validation_rows, self._inputs)

    def validation_batches(self) -> Iterator[ValidationBatch]:
        """Iterate over the batches of a validation.

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
            with naming_rows(rows, {}, ""):
                arrays = rows.gather(self._validation_columns, self._inputs)
            yield ValidationBatch(rows, arrays)

    def _validation_rows_at_once(self) -> int:
        sources = self._validation_rows.sources if self._validation else self._rows.sources
        one = RowsReference("", slice(0, 1), sources)
        per_row = one.gathered_bytes(self._validation_columns, self._inputs) + ORDER_BYTES
        return max(1, min(self.sampler.largest_batch, self._most_bytes // per_row))

    def _step_bytes(self) -> int:
        count = self.sampler.largest_batch
        rows = RowsReference(self.dataset, slice(0, count), self._rows.sources)
        return rows.gathered_bytes(self._columns, self._inputs) + ORDER_BYTES * count

    def _resolve(self, recipe: Recipe, dataset: DatasetRow, columns: Columns) -> RowsReference:
        """Return all rows of a dataset with the columns that the recipe names."""
        reference = {"rows": ALL, "columns": recipe.columns}
        return resolve_rows(reference, dataset, columns, self._inputs, pointer="")
