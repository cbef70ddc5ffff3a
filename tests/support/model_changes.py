"""Every kind of change of a model, to be made under hard conditions, and how it must end."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

from support.datasets import step_on_rows, table_reader
from support.models import ADAM, OWNER, SPEC, batch, create, numbers_of, open_store, same, step

from deltawire_service.datasets import changes
from deltawire_service.models import batches, creations, newest
from deltawire_service.models.alterations import change_optimizer, delete, restore
from deltawire_service.models.creations import CreateRequest, fork
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.numbers import Numbers
from deltawire_service.models.versions import list_models, read_ledger
from deltawire_service.store import segments
from deltawire_service.store.tables.idempotency_keys import RequestKey

KEY = RequestKey(OWNER, "key", b"digest")
STEPS = 3


@dataclass(frozen=True)
class Case:
    """A change, with what is done to the store before, and the other fingerprint it is made under."""

    change: Callable[[ModelStore], dict[str, Any]]
    prepare: Callable[[ModelStore], None] = lambda store: None
    fingerprint: str = ""


def lose_slot(store: ModelStore) -> None:
    row = store.find(OWNER, "model")
    (store.folder_of(row.id).slots / row.slot).unlink()


def put_batch(store: ModelStore) -> None:
    arrays = {name.removeprefix("data/"): array for name, array in batch(9, 20).items()}
    changes.put(store.datasets, OWNER, "table", table_reader(arrays), inf)


def take_step(store: ModelStore) -> dict[str, Any]:
    return step(store, STEPS, key="key")


CASES: dict[str, Case] = {
    "create": Case(lambda s: creations.create(s, OWNER, "new", CreateRequest(SPEC, ADAM), inf, KEY)),
    "step": Case(take_step),
    "step with a large batch": Case(lambda s: step(s, STEPS, key="key", arrays=batch(STEPS, 60))),
    "step that need not be durable": Case(lambda s: step(s, STEPS, key="key", durable=False)),
    "step with a snapshot": Case(take_step, fingerprint="other"),
    "step from a lost slot": Case(take_step, lose_slot),
    "step from a slot that cannot come again": Case(take_step, lose_slot, "other"),
    "step on rows of a dataset": Case(
        lambda s: step_on_rows(s, {"rows": {"indices": [3, 3, 1]}}, key="key"), put_batch
    ),
    "other hyperparameters": Case(
        lambda s: change_optimizer(s, OWNER, "model", {"config": {"eps": 1e-3}}, inf, key=KEY)
    ),
    "restore": Case(lambda s: restore(s, OWNER, "model", 1, inf, key=KEY)),
    "fork": Case(lambda s: fork(s, OWNER, "model", "new", inf, 2, KEY)),
    "delete": Case(lambda s: delete(s, OWNER, "model", inf, KEY)),
}


@dataclass
class History:
    """All models of a store: their ledgers, and the numbers of their newest versions."""

    ledgers: dict[str, list[dict[str, Any]]]
    numbers: dict[str, Numbers]

    @classmethod
    def read(cls, store: ModelStore) -> History:
        names = [model["name"] for model in list_models(store, OWNER, "", 10)]
        ledgers = {name: read_ledger(store, OWNER, name, -1, 100) for name in names}
        return cls(ledgers, {name: numbers_of(store, name) for name in names})

    def equals(self, other: History) -> bool:
        return self.ledgers == other.ledgers and all(
            same(numbers, other.numbers[name]) for name, numbers in self.numbers.items()
        )


class Trial:
    """A change that is tried again and again, each time from the same store.

    Args:
        case: the change.
        folder: where the stores are made; it is cleared.
    """

    def __init__(self, case: Case, folder: Path):
        self._case, self._base, self._path = case, folder / "base", folder / "trial"
        shutil.rmtree(folder, ignore_errors=True)
        store = open_store(self._base)
        create(store)
        for seed in range(STEPS):
            step(store, seed, arrays=batch(seed, 60) if seed == 1 else None)
        case.prepare(store)
        store.database.close()
        with self.fresh() as store:
            self._answer = case.change(store)
            self._after = History.read(store)

    @contextmanager
    def fresh(self) -> Iterator[ModelStore]:
        """The store as it is before the change."""
        shutil.rmtree(self._path, ignore_errors=True)
        shutil.copytree(self._base, self._path)
        with self.opened() as store:
            yield store

    @contextmanager
    def opened(self) -> Iterator[ModelStore]:
        """The store as it is, opened as another process would open it."""
        store = open_store(self._path, self._case.fingerprint)
        yield store
        store.database.close()

    def problems(self, store: ModelStore) -> list[str]:
        """What is wrong with the store once the request has come again."""
        for model in list_models(store, OWNER, "", 10):
            numbers_of(store, model["name"])  # a reader finds it as it is before that
        again = self._case.change(store)
        wrong = [] if again | {"replayed": False} == self._answer else [f"answered {again}"]
        return wrong if History.read(store).equals(self._after) else [*wrong, "another history"]


def with_small_limits() -> None:
    """Let small batches go to segments, and let only a fingerprint ask for a snapshot."""
    segments.SEGMENT_BYTES = 100_000
    batches.INLINE_BYTES = batches.KEPT_BYTES = 2_000
    newest.REPLAY_SECONDS = 1e6
