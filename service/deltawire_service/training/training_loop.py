"""The training loop: takes the steps of a run, in groups that are committed together.

A group begins with the newest version, and takes its steps from one slot to another and back. Nothing is on
the disk before its commit, which has the entries of all its steps and the position of the run. So a process
that dies, or a run that is stopped, goes on where the last group ended, and nothing is taken twice.

Every transaction leaves the run so that the database alone says what is next: a validation, a group of steps,
or the end. A step depends on its number and on the version before it only, not on how steps are grouped.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from sqlite3 import Connection
from time import monotonic
from typing import Any

from deltawire.errors import Refused
from deltawire_service.admission.compute_queue import Overloaded
from deltawire_service.engine import PluginError
from deltawire_service.models.changes import Change, commit
from deltawire_service.models.maintenance.sweeps import remove_files
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.newest import Newest, change_newest, take_snapshot
from deltawire_service.models.numbers import Numbers
from deltawire_service.models.update_rules import to_json
from deltawire_service.store.quotas import check_disk
from deltawire_service.store.snapshots import load_snapshot, write_snapshot
from deltawire_service.store.tables import runs, validations
from deltawire_service.store.tables.models import ModelRow
from deltawire_service.store.tables.runs import FINISHED, RUNNING, RunRow
from deltawire_service.store.tables.validations import Validation
from deltawire_service.training.errors import PartFailed, RunStopped
from deltawire_service.training.evaluation import count_misses, has_stopped_early, is_best, mean_loss
from deltawire_service.training.guard import Guard
from deltawire_service.training.recipes import read_recipe
from deltawire_service.training.run_data import RunData
from deltawire_service.training.run_steps import RunSteps

GROUP_SECONDS = 0.25
"""How long a group of steps is computed: what a process that dies has to compute again."""

MOST_STEPS = 2000
"""Steps of a group at most: more would keep other writers waiting."""

COMMIT_SECONDS = 30.0
"""How long a commit waits for other writers."""


class TrainingLoop:
    """A run that was taken up. The caller holds the lock of its model.

    Args:
        store: the models, and the datasets.
        run: the run, which is running.
        row: its model.
        must_stop: returns whether to end as soon as possible.
        guard: bounds what a group of steps takes, and a batch of a validation.

    Raises:
        Refused: a layer, an optimizer or a column is not there any more.
        DatasetNotFound, StoreUnavailable: a dataset cannot be read.
    """

    def __init__(
        self,
        store: ModelStore,
        run: RunRow,
        row: ModelRow,
        must_stop: Callable[[], bool],
        guard: Guard,
    ):
        self._store = store
        self._run = run
        self._row = row
        self._must_stop = must_stop
        self._guard = guard
        self._recipe = read_recipe(run.recipe)
        self._network = store.network_of(row)
        dataset = store.datasets.get(run.dataset)
        validation = store.datasets.get(run.validation_dataset) if run.validation_dataset else None
        self._data = RunData(store, self._network, row.dtype, self._recipe, dataset, validation)
        self._steps = RunSteps(store, run, row, self._recipe, self._data)
        self._clock = self._look_again = monotonic()

    def take_turn(self, seconds: float) -> None:
        """Go on with the run for a while, at least for one transaction, or until it ends.

        Raises:
            RunStopped: it was paused or cancelled.
            PartFailed: a step or a validation cannot be computed; the steps before it are committed.
            Overloaded: a step waits for memory.
            Overloaded: requests hold the memory that a step takes; those before it are committed.
            QuotaExceeded, StoreFull, StoreUnavailable, LockBusy, OutcomeUnknown: as for any change.
        """
        until = monotonic() + seconds
        while self._go_on() and monotonic() < until and not self._must_stop():
            pass

    def _go_on(self) -> bool:
        """Do what is next, up to one commit; return whether the run goes on after it."""
        progress, sampler = self._run.progress, self._data.sampler
        with ExitStack() as held:
            with self._guard.computing():  # a slot that was lost is computed again
                newest = held.enter_context(
                    change_newest(self._store, self._row, monotonic() + COMMIT_SECONDS)
                )
            self._row = newest.row
            if sampler.is_validated_after(progress.steps) and progress.validated < progress.steps:
                self._validate(newest)
                return True
            ended = progress.steps == self._run.total_steps
            if ended or has_stopped_early(progress, self._recipe.early_stopping):
                self._finish(newest)
                return False
            change, steps = self._take_steps(newest)
        # The slots are free now: a reader that finds the new version does not have to wait for them.
        self._commit(change, steps=steps)
        self._store.observer.on_run_steps(len(change.entries))
        return True

    def _take_steps(self, newest: Newest) -> tuple[Change, int]:
        """Take a group of steps, and return the change of the model, and how many steps the run has then."""
        store, row, number = self._store, newest.row, self._run.progress.steps
        store.check_room(row.owner, 0, newest.layout.bytes)
        last = number + min(MOST_STEPS, self._data.sampler.steps_until_validation(number))
        until, entries, before = monotonic() + GROUP_SECONDS, [newest.entry], newest.numbers
        with ExitStack() as held:
            slots = [
                held.enter_context(store.slots.free(store.folder_of(row.id).slots, newest.layout, row.slot))
                for _ in range(2)
            ]
            held.enter_context(self._guard.computing())
            numbers = [Numbers.split(slot.arrays(writable=True)) for slot in slots]
            while number < last and (len(entries) == 1 or monotonic() < until and not self._must_stop()):
                after = numbers[number % 2]
                try:
                    entries.append(self._steps.take(number, entries[-1], before, after))
                except Overloaded:
                    if len(entries) == 1:
                        raise
                    break
                except (Refused, PluginError) as error:
                    if len(entries) == 1:
                        raise PartFailed(f"step {number + 1}") from error
                    break  # the next group begins with this step, and raises the same
                before, number = after, number + 1
            slot = slots[(number - 1) % 2]
            after_row = replace(row, version=entries[-1].version, slot=slot.name, stamp=slot.set_stamp())
        return Change(row, after_row, entries[1:]), number

    def _validate(self, newest: Newest) -> None:
        """Validate the newest version, and store its loss; keep its numbers where the best are wanted."""
        store, progress, stopping = self._store, self._run.progress, self._recipe.early_stopping
        batches = self._data.validation_batches()
        try:
            loss = mean_loss(self._network, newest.numbers, batches, self._look_around, self._guard)
        except (Refused, PluginError) as error:
            raise PartFailed(f"the validation after step {progress.steps}") from error
        validation = Validation(newest.row.version, newest.entry.step, loss)
        misses, best = count_misses(loss, progress, stopping), is_best(loss, progress)
        changes: dict[str, Any] = {"validated": progress.steps, "misses": misses}
        if best:
            changes |= {"best_loss": loss, "best_version": newest.row.version}
            if stopping and stopping.restore_best:
                check_disk(store.folder.path, store.limits, newest.numbers.nbytes)
                folder = store.folder_of(newest.row.id).snapshots
                changes["best_file"], _ = write_snapshot(folder, newest.numbers.joined())
        change = Change(newest.row, newest.row)
        self._commit(change, lambda t: validations.insert(t, self._run.id, validation), **changes)
        if best and progress.best_file:
            remove_files(store, newest.row.id)  # the numbers that were the best before

    def _finish(self, newest: Newest) -> None:
        """End the run, with its best version if that is wanted; in any case with a snapshot."""
        store, row, progress = self._store, newest.row, self._run.progress
        if progress.best_file and progress.best_version != row.version:
            self._finish_with_best(newest)
            return
        snapshot = None
        if newest.snapshot.version < row.version:
            snapshot = take_snapshot(store, row, newest.entry, newest.numbers)
        self._commit(Change(row, row, snapshot=snapshot), self._set_finished)

    def _finish_with_best(self, newest: Newest) -> None:
        store, row, progress = self._store, newest.row, self._run.progress
        folder = store.folder_of(row.id)
        with store.database.reading() as transaction:
            version = progress.best_version or 0
            (best,) = validations.page(transaction, self._run.id, version - 1, version, 1)
        with store.slots.free(folder.slots, newest.layout, row.slot) as slot:
            numbers = Numbers.split(slot.arrays(writable=True))
            load_snapshot(folder.snapshots / progress.best_file, numbers.joined())
            after = replace(row, version=row.version + 1, slot=slot.name, stamp=slot.set_stamp())
            entry = replace(
                newest.entry,
                version=after.version,
                kind="restored",
                step=best.step,
                details=to_json({"from": best.version, "run": self._run.id}),
                fingerprint=store.fingerprint,
                dataset=None,
            )
            snapshot = take_snapshot(store, row, entry, numbers)
            self._commit(Change(row, after, [entry], snapshot), self._set_finished)

    def _set_finished(self, transaction: Connection) -> None:
        runs.set_state(transaction, self._run.id, FINISHED)

    def _commit(
        self, change: Change, more: Callable[[Connection], None] | None = None, **progress: Any
    ) -> None:
        """Commit a change of the model, with what it changes of the run, unless the run was stopped.

        Args:
            change: the change.
            more: changes other tables.
            **progress: what it changes of the progress of the run, beside version and seconds.
        """
        seconds = self._run.progress.seconds + monotonic() - self._clock
        after = replace(self._run.progress, version=change.after.version, seconds=seconds, **progress)

        def also(transaction: Connection) -> None:
            if not runs.advance(transaction, self._run.id, after):
                raise RunStopped
            if more:
                more(transaction)

        self._row = commit(self._store, change, monotonic() + COMMIT_SECONDS, also=also)
        self._run, self._clock = replace(self._run, progress=after), monotonic()

    def _look_around(self) -> None:
        """Raise RunStopped where a validation need not go on: this process ends, or the run was stopped."""
        now = monotonic()
        if self._must_stop():
            raise RunStopped
        if now > self._look_again:
            self._look_again = now + GROUP_SECONDS
            with self._store.database.reading() as transaction:
                run = runs.get(transaction, self._run.id)
            if run is None or run.state != RUNNING:
                raise RunStopped
