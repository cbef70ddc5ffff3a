"""The table of the Idempotency-Keys: requests that were answered, and their answers.

The row of a key is written in the transaction of the change that its request asked for. So a change was made
if and only if its key is here.
"""

from __future__ import annotations

from dataclasses import dataclass
from sqlite3 import Connection

LATEST = "(SELECT coalesce(max(number), 0) FROM idempotency_keys WHERE owner = ?)"
"""The number of the latest key of an owner."""


@dataclass(frozen=True)
class RequestKey:
    """The key of a request.

    Attributes:
        owner: whoever sent it; keys are unique for each owner.
        key: the key.
        digest: the digest of the whole request.
    """

    owner: str
    key: str
    digest: bytes


@dataclass(frozen=True)
class Answered:
    """A request that was answered.

    Attributes:
        digest: the digest of the request.
        model_id: the model that it changed.
        answer: its answer, as JSON.
    """

    digest: bytes
    model_id: str
    answer: str


def find(database: Connection, key: RequestKey) -> Answered | None:
    """Return the request that came with this key before; None where there was none."""
    row = database.execute(
        "SELECT digest, model, answer FROM idempotency_keys WHERE owner = ? AND key = ?", (key.owner, key.key)
    ).fetchone()
    return None if row is None else Answered(*row)


def insert(database: Connection, key: RequestKey, model_id: str, answer: str, uptime: float) -> None:
    """Store an answer. Raises sqlite3.IntegrityError where the key was used before.

    Args:
        database: a transaction.
        key: the key of the request.
        model_id: the model that it changes.
        answer: its answer, as JSON.
        uptime: for how many seconds the service was up until now.
    """
    database.execute(
        "INSERT INTO idempotency_keys (owner, key, digest, model, answer, number, uptime) "
        f"VALUES (?, ?, ?, ?, ?, {LATEST} + 1, ?)",
        (key.owner, key.key, key.digest, model_id, answer, key.owner, uptime),
    )


def delete_after(database: Connection, model_id: str, version: int) -> None:
    """Remove the answers that tell of later versions of a model.

    Args:
        database: a transaction.
        model_id: the model.
        version: the last version whose answers stay.
    """
    database.execute(
        "DELETE FROM idempotency_keys WHERE model = ? AND json_extract(answer, '$.version') > ?",
        (model_id, version),
    )


def owners(database: Connection) -> list[str]:
    """Return all owners that have keys."""
    return [row["owner"] for row in database.execute("SELECT DISTINCT owner FROM idempotency_keys")]


def prune(database: Connection, owner: str, keep: int, since: float, most: int) -> int:
    """Remove the oldest keys of an owner that are not answered any more, and return how many were removed.

    Args:
        database: a transaction.
        owner: the owner.
        keep: number of the latest keys that stay.
        since: uptime of the service at which the oldest key was stored that stays.
        most: number of keys that are removed at most.
    """
    removed = database.execute(
        "DELETE FROM idempotency_keys WHERE owner = ? AND number IN "
        "(SELECT number FROM idempotency_keys WHERE owner = ? ORDER BY number LIMIT ?) "
        f"AND (uptime < ? OR number <= {LATEST} - ?)",
        (owner, owner, most, since, owner, keep),
    )
    return removed.rowcount
