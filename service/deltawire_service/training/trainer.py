"""The trainer: takes runs one after the other, in one process of all that share a store.

A lock file is its lease: the kernel frees it when the process ends, so no clock decides who trains. A run is
taken up for a turn at a time, and everything is read from the database again at each. Between two turns the
model is unlocked for a moment, for others who wait for it: an export, or the recovery of another process.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep
from typing import NamedTuple

from structlog.typing import FilteringBoundLogger

from deltawire.errors import Refused
from deltawire_service.admission.compute_queue import Overloaded
from deltawire_service.cluster.errors import WorkerLost
from deltawire_service.faults import ServiceError
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.update_rules import to_json
from deltawire_service.store.errors import FileMissing, LockBusy, OutcomeUnknown, StoreFull, StoreUnavailable
from deltawire_service.store.tables import models, runs
from deltawire_service.store.tables.runs import RUNNING, RunRow
from deltawire_service.training.errors import PartFailed, RunStopped
from deltawire_service.training.guard import Guard
from deltawire_service.training.training_loop import TrainingLoop

TURN_SECONDS = 2.0
"""How long the trainer keeps a model locked."""

PAUSE = 0.01
"""Seconds between two turns: longer than those who wait for a lock pause between two tries."""

IDLE = 0.2
"""Seconds until the trainer looks for runs again."""

RETRY_SECONDS = 1.0
"""Seconds until it tries again what the disk, or somebody else, kept it from; twice as many each time."""

MOST_RETRY_SECONDS = 30.0
"""Seconds between two tries at most."""

MOST_ATTEMPTS = 50
"""Processes that may end while they work on a run, without any progress, before it fails."""

MOST_HANGS = 3
"""Those among them that may be ended by the watchdog: each has taken its whole time."""

MOST_LOSSES = 5
"""How often, without any progress, a step may end the workers that compute it, before the run fails."""

FOR_NOW = (LockBusy, OutcomeUnknown, Overloaded, StoreFull, StoreUnavailable, WorkerLost)
"""Errors that may be over soon: the run waits, and others are taken meanwhile."""


class Wait(NamedTuple):
    """The wait of a run after an error that may be over soon."""

    until: float
    """The time of the next try, as time.monotonic counts."""
    seconds: float
    """How long it waits."""
    steps: int
    """How far the run had come when it was taken up."""
    losses: int
    """How often it lost its workers there."""


class Trainer:
    """Takes the runs of a store.

    Args:
        store: the models, and the datasets.
        log: gets a line for every run that begins, ends, fails or has to wait.
        must_stop: returns whether to end as soon as possible.
        guard: that of the store, which bounds what is computed; by default nothing does.
    """

    def __init__(
        self,
        store: ModelStore,
        log: FilteringBoundLogger,
        must_stop: Callable[[], bool],
        guard: Guard | None = None,
    ):
        self._store = store
        self._log = log
        self._must_stop = must_stop
        self._guard = guard or Guard()
        self._begun = ""
        """The id of the run that this process works on."""
        self._waits: dict[str, Wait] = {}
        """The runs that this process worked on until an error, by id."""

    def work(self) -> None:
        """Take runs until the end. Wait as long as another process has the lease."""
        while not self._must_stop():
            try:
                with self._store.locks.exclusive(self._store.folder.trainer_lock, monotonic()):
                    self._count_hang()
                    self._work()
            except LockBusy:
                sleep(IDLE)
            except StoreUnavailable as error:
                self._log.error("no runs are taken for now", exc_info=error)
                sleep(RETRY_SECONDS)

    def _count_hang(self) -> None:
        """Count it for its run where the process before was ended by its watchdog, and log where it hung."""
        watchdog = self._guard.watchdog
        if report := watchdog.read_report():
            with self._store.database.writing(monotonic() + TURN_SECONDS) as transaction:
                runs.count_hang(transaction, report.run)
            watchdog.clear_report()
            self._log.error("trainer hung", run=report.run, threads=report.threads)

    def _work(self) -> None:
        while not self._must_stop():
            sleep(PAUSE if self.take_turn() else IDLE)

    def take_turn(self) -> bool:
        """Go on with the run that is next, for a while; return False where there is none, or all wait.

        Raises:
            StoreUnavailable: the database cannot be read.
        """
        now = monotonic()
        with self._store.database.reading() as transaction:
            run = runs.next_run(transaction, [each for each, wait in self._waits.items() if wait.until > now])
        if run is None:
            return False
        try:
            self._take(run)
        except RunStopped:
            self._log.info("run stopped", run=run.id)
        except FOR_NOW as error:
            self._wait(run, error)
        else:
            self._waits.pop(run.id, None)
            self._begun = run.id
        return True

    def _wait(self, run: RunRow, error: Exception) -> None:
        """Have a run wait after an error that may be over soon, or fail where its workers are lost again."""
        last, steps = self._waits.get(run.id), run.progress.steps
        seconds = min(2 * last.seconds, MOST_RETRY_SECONDS) if last else RETRY_SECONDS
        losses = last.losses if last and last.steps == steps else 0
        losses += isinstance(error, WorkerLost)
        if losses >= MOST_LOSSES:
            self._waits.pop(run.id, None)
            self._fail(run, error)
            return
        self._log.warning("run waits", run=run.id, exc_info=error)
        self._waits[run.id] = Wait(monotonic() + seconds, seconds, steps, losses)

    def _take(self, run: RunRow) -> None:
        """Take a run up, and end it where it fails."""
        if not (run.id == self._begun or run.id in self._waits) or run.state != RUNNING:
            self._begin(run)
        self._guard.watchdog.begin(run.id)
        try:
            with self._store.locks.exclusive(
                self._store.folder_of(run.model).lock, monotonic() + TURN_SECONDS
            ):
                with self._store.database.reading() as transaction:
                    current = runs.get(transaction, run.id)
                    row = models.get(transaction, run.model)
                if current is None or row is None:
                    raise RunStopped
                with self._guard.computing():  # a layer is made, and may hang
                    loop = TrainingLoop(self._store, current, row, self._must_stop, self._guard)
                loop.take_turn(TURN_SECONDS)
        except FileMissing as error:  # it does not come back, unlike the disk
            self._fail(run, error)
        except (RunStopped, *FOR_NOW):
            raise
        except PartFailed as failure:
            self._fail(run, failure.__cause__ or failure, f"{failure.part}: ")
        except Exception as error:  # of a layer, or a damaged file: the other runs go on
            self._fail(run, error)

    def _begin(self, run: RunRow) -> None:
        """Note that this process works on a run. Raises RunStopped where it may not."""
        if run.attempts >= MOST_ATTEMPTS:
            detail = f"{run.attempts} processes ended at work on it: it may take too much memory, or hang"
            self._end(run, "trainer_died", detail)
            raise RunStopped
        if run.hangs >= MOST_HANGS:
            detail = f"after step {run.progress.steps}, a layer or the optimizer did not return: {run.hangs}"
            detail += f" processes waited {self._guard.watchdog.seconds:g} s each; the log says where"
            self._end(run, "trainer_died", detail)
            raise RunStopped
        with self._store.database.writing(monotonic() + TURN_SECONDS) as transaction:
            if not runs.begin(transaction, run.id):
                raise RunStopped
        self._begun = run.id
        self._log.info("run begins", run=run.id, steps=run.progress.steps, of=run.total_steps)

    def _fail(self, run: RunRow, error: BaseException, part: str = "") -> None:
        if isinstance(error, Refused):
            fault = error.faults[0]
            self._end(run, fault.code, f"{part}{fault.pointer} {fault.detail}".strip())
        elif isinstance(error, ServiceError):
            self._end(run, error.code, f"{part}{error.faults[0].detail}")
        else:
            self._end(run, "internal", "the run could not be computed: the log of the service says why")
        self._log.error("run failed", run=run.id, exc_info=error)

    def _end(self, run: RunRow, code: str, detail: str) -> None:
        problem = to_json({"code": code, "detail": detail})
        with self._store.database.writing(monotonic() + TURN_SECONDS) as transaction:
            runs.fail(transaction, run.id, problem)
