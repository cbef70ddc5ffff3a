"""The table of the Idempotency-Keys: requests that were answered, and their answers.

The row of a key is written in the transaction of the change that its request asked for. So a change was made
if and only if its key is here.
"""

from __future__ import annotations

from dataclasses import dataclass
from sqlite3 import Connection


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


def insert(database: Connection, key: RequestKey, model_id: str, answer: str) -> None:
    """Store an answer. Raises sqlite3.IntegrityError where the key was used before.

    Args:
        database: a transaction.
        key: the key of the request.
        model_id: the model that it changes.
        answer: its answer, as JSON.
    """
    database.execute(
        "INSERT INTO idempotency_keys VALUES (?, ?, ?, ?, ?)",
        (key.owner, key.key, key.digest, model_id, answer),
    )
