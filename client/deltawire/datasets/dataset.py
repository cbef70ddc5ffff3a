"""A dataset of a service: described, read, taken as a batch, deleted."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any
from urllib.parse import quote

import numpy as np

from deltawire.arguments.kinds import list_of_names
from deltawire.computations import forward
from deltawire.datasets.rows import DatasetRows, Sources, choose_rows, column_sources
from deltawire.errors import wrong_argument
from deltawire.network import Network
from deltawire.request_builder import Caller
from deltawire.tables.network import table_network
from deltawire.wire import Array

READ_NUMBERS = 2**20
"""Numbers that one request reads, about."""


class Dataset(DatasetRows):
    """A dataset, which never changes: it goes wherever a batch goes, with all its rows.

    Attributes:
        client: Calls the service that keeps it.
    """

    def __init__(self, client: Caller, name: str):
        super().__init__(name)
        self.client = client

    @property
    def path(self) -> str:
        """The path of the dataset at the service."""
        return dataset_path(self.name)

    def describe(self) -> dict[str, Any]:
        """Return its description: `rows`, `bytes`, `dataset_id`, and `columns` with their statistics."""
        return self.client.connection.get(self.path, dict)

    def rows(
        self,
        start: int | None = None,
        stop: int | None = None,
        *,
        indices: Any = None,
        columns: Sources | None = None,
    ) -> DatasetRows:
        """Return some of its rows, to be passed in the place of a batch.

        Args:
            start: The first row.
            stop: The row after the last one.
            indices: In place of a range: row numbers, (rows,), in any order, also repeated.
            columns: By input: its column, or several of one number in each row, which become its last axis.
                By default an input takes the column of its name.

        Raises:
            Refused: An argument is of another kind.
        """
        return DatasetRows(self.name, choose_rows(start, stop, indices), column_sources(columns))

    def read(
        self,
        start: int | None = None,
        stop: int | None = None,
        *,
        indices: Any = None,
        columns: Collection[str] | None = None,
    ) -> dict[str, Array]:
        """Return the numbers of some rows by column, (rows, *shape); texts come as texts.

        Args:
            start: The first row.
            stop: The row after the last one.
            indices: In place of a range: row numbers, (rows,).
            columns: The columns to read; by default all.

        Raises:
            Refused: There is no such row or column, no row is chosen, or a column has integers beyond 2^53.
        """
        chosen = choose_rows(start, stop, indices)
        description = self.describe()
        described = {column["name"]: column for column in description["columns"]}
        names = [*described] if columns is None else list_of_names("/columns", columns)
        for name in names:
            if name not in described:
                raise wrong_argument("/columns", f"columns of {', '.join(described)}", name)
        net, sources = Network(), dict[str, str]()
        for place, name in enumerate(names):
            net.layer(
                "identity", net.input(f"column_{place}", described[name]["shape"]), name=f"value_{place}"
            )
            sources[f"column_{place}"] = name
        width = sum(int(np.prod(described[name]["shape"])) for name in names)
        pieces = [
            forward(
                self.client, net, {}, DatasetRows(self.name, rows, sources),
                [f"value_{place}" for place in range(len(names))], non_finite="return",
            )
            for rows in _cut(chosen, description["rows"], max(1, READ_NUMBERS // max(1, width)))
        ]  # fmt: skip
        return {
            name: _restored(np.concatenate([piece[f"value_{place}"] for piece in pieces]), described[name])
            for place, name in enumerate(names)
        }

    def network(
        self,
        target: str,
        task: str | None = None,
        *,
        hidden: Iterable[int] = (100,),
        activation: str = "relu",
        l2: float = 0.0,
        drop: Collection[str] = (),
        categorical: Collection[str] = (),
    ) -> Network:
        """Return a network that predicts a column from the others, and takes their numbers as they are.

        Args:
            target: The column to predict.
            task: "classification" or "regression"; by default, texts and few different integers are classes.
            hidden: Units of each hidden layer.
            activation: Kind of the layer after each hidden one.
            l2: λ of the penalty (λ/2)·ΣW² that is added to the mean loss.
            drop: Columns that are left out.
            categorical: Columns of integers that are categories, beside those of texts.

        Returns:
            The network, whose last node is `probabilities` for classes and `prediction` for numbers.
            `Table.read` tells from its spec how rows become its inputs.

        Raises:
            Refused: A column is not there, has missing numbers, or cannot have its role.
        """
        return table_network(
            self.describe()["columns"], target, task, hidden=hidden, activation=activation, l2=l2,
            drop=drop, categorical=categorical,
        )  # fmt: skip

    def delete(self, *, key: str | None = None) -> None:
        """Delete the dataset.

        Args:
            key: The Idempotency-Key; by default a new one.

        Raises:
            Refused: There is no such dataset, or a ledger needs it.
        """
        self.client.connection.change("DELETE", self.path, None, dict, key=key)


def dataset_path(name: str) -> str:
    """Return the path of a dataset at a service."""
    return f"/v1/datasets/{quote(name, safe='')}"


def _cut(chosen: dict[str, Any], count: int, size: int) -> list[dict[str, Any]]:
    """Return chosen rows in pieces of so many; no rows are one piece, which the service refuses."""
    if "indices" in chosen:
        indices = chosen["indices"]
        return [{**chosen, "indices": indices[at : at + size]} for at in range(0, max(1, len(indices)), size)]
    start, stop = chosen.get("start", 0), chosen.get("stop", count)
    return [{"start": at, "stop": min(at + size, stop)} for at in range(start, max(start + 1, stop), size)]


def _restored(values: Array, column: dict[str, Any]) -> Array:
    """Return values of float64 in the dtype of their column, or as its texts."""
    restored: Array = values.astype(column["dtype"])
    if column.get("categories"):
        restored = np.asarray(column["categories"])[restored]
    return restored
