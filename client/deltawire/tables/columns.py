"""The columns of a table, and the one of them that is to be predicted."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deltawire.arguments.kinds import list_of_names
from deltawire.errors import Fault, Refused, wrong_argument

CLASSIFICATION, REGRESSION = "classification", "regression"

MOST_CLASSES = 20
"""Different integers of a target that are classes, unless the task is named."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: Its name.
        dtype: "float32", "float64" or "int64".
        shape: The shape of one row; empty for a number.
        categories: The texts that its integers stand for, in their order; empty where it has numbers.
        mean: Of its finite numbers; None where none is.
        std: The standard deviation of its finite numbers; None where none is.
        least: The smallest number.
        most: The largest number.
        non_finite: Numbers that are not finite: empty cells, for example.
        distinct: How many different integers it has; None for floats, and for many.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    categories: tuple[str, ...]
    mean: float | None
    std: float | None
    least: float | None
    most: float | None
    non_finite: int
    distinct: int | None

    @classmethod
    def read(cls, described: Mapping[str, Any]) -> Column:
        """Return the column that a description of a dataset has."""
        return cls(
            described["name"], described["dtype"], tuple(described["shape"]),
            tuple(described.get("categories") or ()), described["mean"], described["std"],
            described["min"], described["max"], described["non_finite"], described.get("distinct"),
        )  # fmt: skip

    @property
    def is_category(self) -> bool:
        """True where its integers stand for texts."""
        return bool(self.categories)

    @property
    def count(self) -> int:
        """How many categories or classes its integers stand for."""
        return len(self.categories) or int(self.most or 0) + 1

    @property
    def spread(self) -> float:
        """The standard deviation of its numbers, or 1 where they are all the same."""
        return self.std or 1.0


@dataclass(frozen=True)
class Roles:
    """The columns of a table by their roles.

    Attributes:
        target: The column that is predicted.
        task: "classification" or "regression".
        numbers: Columns of one number in each row.
        arrays: Columns of an array in each row.
        categories: Columns of integers that each have a vector of their own.
    """

    target: Column
    task: str
    numbers: tuple[Column, ...]
    arrays: tuple[Column, ...]
    categories: tuple[Column, ...]


def assign_roles(
    described: Iterable[Mapping[str, Any]],
    target: str,
    task: str | None = None,
    *,
    drop: Collection[str] = (),
    categorical: Collection[str] = (),
) -> Roles:
    """Return the roles of the columns of a dataset.

    Args:
        described: The descriptions of its columns.
        target: The name of the column to predict.
        task: "classification" or "regression"; by default, texts and few different integers are classes.
        drop: Columns that are left out.
        categorical: Columns of integers that are categories, beside those of texts.

    Raises:
        Refused: A column is not there, has missing numbers, or cannot have its role.
    """
    columns = {column.name: column for column in map(Column.read, described)}
    for argument, names in (("target", [target]), ("drop", drop), ("categorical", categorical)):
        for name in list_of_names(f"/{argument}", names):
            if name not in columns:
                raise _unknown(argument, name, columns)
    if target in drop:
        raise Refused([Fault("/drop", "field_invalid", f"column '{target}' is the target")])
    predicted = columns[target]
    task = _task(predicted, task)
    used = [column for name, column in columns.items() if name not in {target, *drop}]
    if not used:
        raise Refused([Fault("/columns", "field_invalid", f"there is no column to predict '{target}' from")])
    _check_missing([predicted, *used])
    chosen = [column for column in used if column.is_category or column.name in categorical]
    for column in chosen:
        _check_category(column)
    numbers = [column for column in used if column not in chosen]
    return Roles(
        predicted,
        task,
        tuple(column for column in numbers if not column.shape),
        tuple(column for column in numbers if column.shape),
        tuple(chosen),
    )


def _task(target: Column, task: str | None) -> str:
    if target.shape:
        detail = f"column '{target.name}' has arrays of shape {list(target.shape)}: expected one number a row"
        raise Refused([Fault("/target", "field_invalid", detail)])
    if task not in (None, CLASSIFICATION, REGRESSION):
        raise wrong_argument("/task", f'"{CLASSIFICATION}" or "{REGRESSION}"', task)
    if task == REGRESSION and target.is_category:
        detail = f"column '{target.name}' has texts: predict them by classification"
        raise Refused([Fault("/task", "field_invalid", detail)])
    if task is None:
        few = target.distinct is not None and target.distinct <= MOST_CLASSES and (target.least or 0) >= 0
        task = CLASSIFICATION if target.is_category or few else REGRESSION
    if task == CLASSIFICATION and (target.least or 0) < 0:
        detail = f"column '{target.name}' has {target.least:g}: classes are whole numbers from 0, or texts"
        raise Refused([Fault("/target", "field_invalid", detail)])
    return task


def _check_missing(columns: Sequence[Column]) -> None:
    missing = [f"'{column.name}' {column.non_finite:,}" for column in columns if column.non_finite]
    if missing:
        detail = (
            f"numbers are missing, or not finite, in {', '.join(missing)}: fill them in, or leave out the "
            "columns by drop, or their rows"
        )
        raise Refused([Fault("/columns", "non_finite", detail)])


def _check_category(column: Column) -> None:
    if column.dtype != "int64" or column.shape or (column.least or 0) < 0:
        detail = f"column '{column.name}' cannot be a category: expected whole numbers from 0"
        raise Refused([Fault("/categorical", "field_invalid", detail)])


def _unknown(argument: str, name: str, columns: Collection[str]) -> Refused:
    close = difflib.get_close_matches(str(name), columns, 1, 0.5)
    listed = ", ".join(f"'{known}'" for known in [*columns][:12])
    mend = f"did you mean '{close[0]}'?" if close else f"it has {listed}{', …' if len(columns) > 12 else ''}"
    return Refused([Fault(f"/{argument}", "field_invalid", f"the table has no column {name!r}: {mend}")])
