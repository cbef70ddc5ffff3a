"""The table of the validations: the losses of a run on rows that it does not learn from.

The metrics of its steps are in the ledger of its model.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from sqlite3 import Connection


@dataclass(frozen=True)
class Validation:
    """A validation.

    Attributes:
        version: the version of the model that was validated.
        step: optimizer steps that lead to it.
        loss: the mean of the examples' losses.
    """

    version: int
    step: int
    loss: float


def insert(database: Connection, run_id: str, validation: Validation) -> None:
    """Add a validation.

    Args:
        database: a transaction.
        run_id: the run.
        validation: the validation.
    """
    database.execute("INSERT INTO validations VALUES (?, ?, ?, ?)", (run_id, *astuple(validation)))


def page(database: Connection, run_id: str, after: int, last: int, most: int) -> list[Validation]:
    """Return the validations of a run in order.

    Args:
        database: a transaction.
        run_id: the run.
        after: the version that they follow.
        last: the last version.
        most: number of validations on a page.
    """
    rows = database.execute(
        "SELECT version, step, loss FROM validations "
        "WHERE run = ? AND version > ? AND version <= ? ORDER BY version LIMIT ?",
        (run_id, after, last, most),
    )
    return [Validation(*row) for row in rows]
