"""Changes of runs: make one, pause it, resume it, cancel it. Each is one transaction.

The trainer commits nothing more of a run that is not running. So a run stands still once it was paused or
cancelled, although the trainer may compute for another moment.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from sqlite3 import Connection

from deltawire.errors import Fault, Refused
from deltawire_plugins.shown import shown
from deltawire_service.datasets.errors import DatasetNotFound
from deltawire_service.datasets.fault_places import naming_rows
from deltawire_service.models.changes import Answer, change_once, find_answer, store_answer
from deltawire_service.models.computation import compute_gradients
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.newest import Newest, change_newest
from deltawire_service.schemas.run_requests import Recipe
from deltawire_service.store.errors import QuotaExceeded
from deltawire_service.store.folders import new_id
from deltawire_service.store.tables import datasets, runs
from deltawire_service.store.tables.datasets import DatasetRow
from deltawire_service.store.tables.idempotency_keys import RequestKey
from deltawire_service.store.tables.models import ModelRow
from deltawire_service.store.tables.runs import PAUSED, QUEUED, Progress, RunRow
from deltawire_service.training.errors import RunEnded, RunNotFound
from deltawire_service.training.evaluation import mean_loss
from deltawire_service.training.guard import Guard
from deltawire_service.training.recipes import check_recipe, rule_of_run, write_recipe
from deltawire_service.training.run_data import RunData, pointing_to_validation
from deltawire_service.training.run_descriptions import describe_row

MOST_STEPS = 10**9
"""Steps of a run, those of all epochs."""

KEPT_RUNS = 1000
"""Runs of an owner that have ended, and are kept; the oldest go first."""


def create_run(
    store: ModelStore,
    owner: str,
    name: str,
    recipe: Recipe,
    deadline: float,
    key: RequestKey | None = None,
    admit: Callable[[int], None] = lambda size: None,
) -> Answer:
    """Make a run, which waits for the trainer. Its first batch is tried, so that a mistake is told at once.

    Args:
        store: the models, and the datasets.
        owner: whoever makes it.
        name: the name of the model that learns.
        recipe: how it learns.
        deadline: when to give up, as time.monotonic counts.
        key: the key of the request: with it, a request that comes again is answered as it was the first time.
        admit: gets the bytes of the first batch before it is read; raises where they are too many.

    Returns:
        The description of the run.

    Raises:
        ModelNotFound, ModelInRun, DatasetNotFound, KeyReused, Refused: nothing was made.
        PluginError, DeadlineExceeded: as for a step; nothing was made.
        QuotaExceeded, LockBusy, StoreFull, StoreUnavailable: nothing was made.
        OutcomeUnknown: the run may have been made; with a key, ask again.
    """

    def change(row: ModelRow) -> Answer:
        check_recipe(recipe)
        dataset, validation = _find_datasets(store, owner, recipe)
        with change_newest(store, row, deadline) as newest:
            total_steps = _try(store, newest, recipe, dataset, validation, admit)
            run = RunRow(
                id=new_id(),
                number=0,  # it gets one in the table
                owner=owner,
                model=row.id,
                dataset=dataset.id,
                validation_dataset=validation.id if validation else None,
                recipe=write_recipe(recipe),
                state=QUEUED,
                first_version=newest.row.version,
                total_steps=total_steps,
                attempts=0,
                hangs=0,
                problem="",
                progress=Progress(version=newest.row.version),
            )
        with store.database.writing(deadline) as transaction:
            _check_queue(transaction, owner, store.limits.runs_per_owner)
            for each in (dataset, validation):
                if each and not datasets.exists(transaction, each.id):
                    raise DatasetNotFound(f"dataset '{each.name}' was deleted")
            run = runs.insert(transaction, run)
            runs.prune(transaction, owner, KEPT_RUNS)
            answer = {**describe_row(transaction, run), "replayed": False}
            store_answer(store, transaction, key, row.id, answer)
        return answer

    return change_once(store, owner, name, deadline, key, change)


def set_state(
    store: ModelStore, owner: str, run_id: str, state: str, deadline: float, key: RequestKey | None = None
) -> Answer:
    """Pause, resume or cancel a run, and return its description. A run that has the state already keeps it.

    A run that is resumed goes on in the order in which runs were made. A run that is cancelled ends for good;
    its model stays at the version that it has.

    Args:
        store: the models.
        owner: whoever asks.
        run_id: the run.
        state: paused, queued (to resume it), or cancelled.
        deadline: when to give up, as time.monotonic counts.
        key: the key of the request.

    Raises:
        RunNotFound, RunEnded, KeyReused: nothing was changed.
        LockBusy, StoreFull, StoreUnavailable: nothing was changed.
        OutcomeUnknown: it may have been changed; ask again.
    """
    if answer := find_answer(store, key, ""):
        return answer
    with store.database.writing(deadline) as transaction:
        run = runs.find(transaction, owner, run_id)
        if run is None:
            raise RunNotFound(f"there is no run {shown(run_id)}")
        if run.state not in (*runs.OPEN_STATES, state):
            raise RunEnded(f"the run is {run.state}")
        if state != QUEUED or run.state == PAUSED:  # a run that goes on anyway has nothing to resume
            runs.set_state(transaction, run.id, state)
        changed = runs.get(transaction, run.id) or run
        answer = {**describe_row(transaction, changed), "replayed": False}
        store_answer(store, transaction, key, run.model, answer)
    return answer


def _find_datasets(store: ModelStore, owner: str, recipe: Recipe) -> tuple[DatasetRow, DatasetRow | None]:
    dataset, validation = _find_dataset(store, owner, recipe.dataset, "/dataset"), None
    if recipe.validation and recipe.validation.dataset is not None:
        validation = _find_dataset(store, owner, recipe.validation.dataset, "/validation/dataset")
        if not validation.rows:
            detail = f"dataset '{validation.name}' has no rows to validate with"
            raise Refused([Fault("/validation/dataset", "batch_empty", detail)])
    return dataset, validation


def _find_dataset(store: ModelStore, owner: str, name: str, pointer: str) -> DatasetRow:
    try:
        return store.datasets.find(owner, name)
    except DatasetNotFound as error:
        error.pointer = pointer
        raise


def _try(
    store: ModelStore,
    newest: Newest,
    recipe: Recipe,
    dataset: DatasetRow,
    validation: DatasetRow | None,
    admit: Callable[[int], None],
) -> int:
    """Compute the gradients of the first batch, and return how many steps there are."""
    network = store.network_of(newest.row)
    rule_of_run(store.rule_of(newest.entry.optimizer), recipe, store.optimizers)
    data = RunData(store, network, newest.row.dtype, recipe, dataset, validation)
    _check_total(recipe, data.sampler.total_steps)
    admit(data.step_bytes)
    data.check_finite()
    first = data.step(0)
    with naming_rows(first.rows, first.arrays, ""):
        compute_gradients(first.work(network, recipe.reduction), newest.numbers)
    if validation:
        with pointing_to_validation():
            batches = islice(data.validation_batches(), 1)
            mean_loss(network, newest.numbers, batches, lambda: None, Guard())
    return data.sampler.total_steps


def _check_total(recipe: Recipe, total: int) -> None:
    if total > MOST_STEPS:
        detail = f"the run would take {total} steps, at most {MOST_STEPS} are allowed"
        raise Refused([Fault("/steps" if recipe.steps else "/epochs", "field_invalid", detail)])


def _check_queue(transaction: Connection, owner: str, most: int) -> None:
    count = runs.count_open(transaction, owner)
    if count >= most:
        raise QuotaExceeded(f"you have {count} runs that have not ended, and may have {most}")
