"""The table of the ledgers: for each version of a model an entry, with all it takes to compute it again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from sqlite3 import Connection, Row

from deltawire_service.store.segments import Stretch


@dataclass(frozen=True)
class Entry:
    """The change that made a version out of an earlier one.

    Attributes:
        version: the version.
        kind: created, step, hyperparameters, restored, rebased or lost.
        step: how many optimizer steps lead to this version.
        optimizer: kind, config, schedule and clipping in force after it, as JSON.
        details: what depends on the kind, as JSON.
        fingerprint: that of the process which computed it.
        total_seconds: how long all steps up to this version took to compute.
        batch: the arrays of a step, or the stretch of a segment that has them; None without arrays.
        dataset: the id of the dataset that the step takes rows of; None where it takes none.
    """

    version: int
    kind: str
    step: int
    optimizer: str
    details: str
    fingerprint: str
    total_seconds: float
    batch: bytes | Stretch | None = None
    dataset: str | None = None

    @property
    def batch_bytes(self) -> int:
        """The bytes that stand for its data: its batch, and the details that name rows of a dataset."""
        named = 0 if self.dataset is None else len(self.details)
        if isinstance(self.batch, Stretch):
            return self.batch.size + named
        return named if self.batch is None else len(self.batch) + named

    @property
    def has_data(self) -> bool:
        """True where the data of its step is kept."""
        return self.batch is not None or self.dataset is not None


@dataclass(frozen=True)
class StepMetrics:
    """The numbers that a step was answered with.

    Attributes:
        version: the version that it has led to.
        step: optimizer steps that lead to it.
        loss: the loss before the step; None where the gradients came with the request.
        gradient_norm: √Σg² over all gradients, before clipping.
        learning_rate: that of this step.
    """

    version: int
    step: int
    loss: float | None
    gradient_norm: float
    learning_rate: float


def append(database: Connection, model_id: str, entry: Entry) -> None:
    """Add an entry to the ledger of a model.

    Args:
        database: a transaction.
        model_id: the model.
        entry: the entry.
    """
    inline = entry.batch if isinstance(entry.batch, bytes) else None
    stretch = entry.batch if isinstance(entry.batch, Stretch) else (None, None, None)
    database.execute(
        "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(model_id, entry.version, entry.kind, entry.step, entry.optimizer, entry.details),
            *(entry.fingerprint, entry.total_seconds, inline, *stretch, entry.dataset),
        ),
    )


def get(database: Connection, model_id: str, version: int) -> Entry | None:
    """Return an entry, None where there is none.

    Args:
        database: a transaction.
        model_id: the model.
        version: the version of the entry.
    """
    rows = database.execute("SELECT * FROM entries WHERE model = ? AND version = ?", (model_id, version))
    return next(_entries(rows), None)


def page(database: Connection, model_id: str, after: int, most: int) -> list[Entry]:
    """Return entries of a ledger in order, without their batches and datasets.

    Args:
        database: a transaction.
        model_id: the model.
        after: the version that the page follows; −1 for the first page.
        most: number of entries on a page.
    """
    rows = database.execute(
        "SELECT model, version, kind, step, optimizer, details, fingerprint, total_seconds, NULL AS batch, "
        "NULL AS segment, NULL AS begin, NULL AS size, NULL AS dataset FROM entries "
        "WHERE model = ? AND version > ? ORDER BY version LIMIT ?",
        (model_id, after, most),
    )
    return list(_entries(rows))


def step_metrics(database: Connection, model_id: str, after: int, last: int, most: int) -> list[StepMetrics]:
    """Return the metrics of steps in order.

    Args:
        database: a transaction.
        model_id: the model.
        after: the version that they follow.
        last: the last version.
        most: number of steps at most.
    """
    # Several paths give a list as text, in which every float64 is exact.
    rows = database.execute(
        "SELECT version, step, json_extract(details, '$.loss', '$.gradient_norm', '$.learning_rate') "
        "FROM entries WHERE model = ? AND version > ? AND version <= ? AND kind = 'step' "
        "ORDER BY version LIMIT ?",
        (model_id, after, last, most),
    )
    return [StepMetrics(version, step, *json.loads(numbers)) for version, step, numbers in rows]


def every(database: Connection, model_id: str, after: int = -1, most: int = -1) -> Iterator[Entry]:
    """Iterate over the ledger of a model, with batches: they are read one by one.

    Args:
        database: a transaction.
        model_id: the model.
        after: the version that the entries follow.
        most: number of entries; −1 for all.
    """
    rows = database.execute(
        "SELECT * FROM entries WHERE model = ? AND version > ? ORDER BY version LIMIT ?",
        (model_id, after, most),
    )
    return _entries(rows)


def delete_after(database: Connection, model_id: str, version: int) -> None:
    """Remove the entries after a version.

    Args:
        database: a transaction.
        model_id: the model.
        version: the version.
    """
    database.execute("DELETE FROM entries WHERE model = ? AND version > ?", (model_id, version))


def drop_batches(database: Connection, model_id: str, after: int, last: int) -> None:
    """Remove the batches of entries, and the datasets and columns that they refer to; the entries stay.

    Args:
        database: a transaction.
        model_id: the model.
        after: the version before the first one.
        last: the last version.
    """
    database.execute(
        "UPDATE entries SET batch = NULL, segment = NULL, begin = NULL, size = NULL, dataset = NULL, "
        "details = CASE WHEN dataset IS NULL THEN details ELSE json_remove(details, '$.columns') END "
        "WHERE model = ? AND version > ? AND version <= ?",
        (model_id, after, last),
    )


def delete_up_to(database: Connection, model_id: str, last: int, most: int) -> None:
    """Remove the earliest entries.

    Args:
        database: a transaction.
        model_id: the model.
        last: the last version that may go.
        most: number of entries that go at most.
    """
    database.execute(
        "DELETE FROM entries WHERE model = ? AND version IN "
        "(SELECT version FROM entries WHERE model = ? AND version <= ? ORDER BY version LIMIT ?)",
        (model_id, model_id, last, most),
    )


def first_without_batch(database: Connection, model_id: str, after: int) -> int | None:
    """Return the first step whose data is not kept; None where all have theirs.

    Args:
        database: a transaction.
        model_id: the model.
        after: the version that the step comes after.
    """
    (found,) = database.execute(
        "SELECT min(version) FROM entries "
        "WHERE model = ? AND version > ? AND kind = 'step' AND batch IS NULL AND segment IS NULL "
        "AND dataset IS NULL",
        (model_id, after),
    ).fetchone()
    return None if found is None else int(found)


def last_stretch(database: Connection, model_id: str) -> Stretch | None:
    """Return the stretch of the last batch that is in a segment."""
    row = database.execute(
        "SELECT segment, begin, size FROM entries WHERE model = ? AND segment IS NOT NULL "
        "ORDER BY version DESC LIMIT 1",
        (model_id,),
    ).fetchone()
    return None if row is None else Stretch(*row)


def segments(database: Connection, model_id: str) -> frozenset[str]:
    """Return the names of all segments that have batches of a model."""
    rows = database.execute(
        "SELECT DISTINCT segment FROM entries WHERE model = ? AND segment IS NOT NULL", (model_id,)
    )
    return frozenset(row["segment"] for row in rows)


def datasets(database: Connection, model_id: str) -> frozenset[str]:
    """Return the ids of all datasets that have rows of a model's steps."""
    rows = database.execute(
        "SELECT DISTINCT dataset FROM entries WHERE model = ? AND dataset IS NOT NULL", (model_id,)
    )
    return frozenset(row["dataset"] for row in rows)


def find_user_of(database: Connection, dataset: str) -> str | None:
    """Return the id of a model whose entries refer to a dataset; None where there is none.

    Args:
        database: a transaction.
        dataset: the id of the dataset.
    """
    row = database.execute("SELECT model FROM entries WHERE dataset = ? LIMIT 1", (dataset,)).fetchone()
    return None if row is None else str(row["model"])


def _entries(rows: Iterable[Row]) -> Iterator[Entry]:
    for row in rows:
        stretch = None if row["segment"] is None else Stretch(row["segment"], row["begin"], row["size"])
        yield Entry(
            *(row["version"], row["kind"], row["step"], row["optimizer"], row["details"]),
            *(row["fingerprint"], row["total_seconds"], stretch or row["batch"], row["dataset"]),
        )
