"""Make a network of a table: it takes the numbers as they are, and standardises them itself."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from deltawire.errors import wrong_argument
from deltawire.network import Handle, Network
from deltawire.tables.columns import CLASSIFICATION, Roles, assign_roles
from deltawire.tables.table import Source, Table

WIDEST = 50
"""Numbers of a category's vector, at most."""

NODES = {"features", "scores", "probabilities", "output", "standardized_output", "prediction", "loss"}
"""The names of nodes, which no input may have."""


def table_network(
    described: Iterable[Mapping[str, Any]],
    target: str,
    task: str | None = None,
    *,
    hidden: Iterable[int] = (100,),
    activation: str = "relu",
    l2: float = 0.0,
    drop: Collection[str] = (),
    categorical: Collection[str] = (),
) -> Network:
    """Return a network that predicts a column of a table from the others.

    Its inputs are the numbers of the table as they are. Numbers become those of mean 0 and standard deviation
    1, each category gets a vector that is learned, and linear layers with activations follow. The last
    node is `probabilities` for classes, and `prediction`, in the unit of the target, for numbers.

    Args:
        described: The descriptions of the columns, as `Dataset.describe` has them under "columns".
        target: The column to predict.
        task: "classification" or "regression"; by default, texts and few different integers are classes.
        hidden: Units of each hidden layer.
        activation: Kind of the layer after each hidden one.
        l2: λ of the penalty (λ/2)·ΣW² that is added to the mean loss.
        drop: Columns that are left out.
        categorical: Columns of integers that are categories, beside those of texts.

    Returns:
        The network. `Table.read` tells from its spec how rows become its inputs.

    Raises:
        Refused: A column is not there, has missing numbers, or cannot have its role.
    """
    roles = assign_roles(described, target, task, drop=drop, categorical=categorical)
    inputs = _Inputs()
    net, parts = inputs.network, _features(inputs, roles)
    x = parts[0] if len(parts) == 1 else net.layer("concat", *parts, name="features")
    for units in _sizes(hidden):
        x = net.layer(activation, net.layer("linear", x, units=units))
    if roles.task == CLASSIFICATION:
        y = inputs.add("y", roles.target.name, dtype="int64")
        scores = net.layer("linear", x, units=roles.target.count, name="scores")
        output = net.layer("softmax", scores, name="probabilities")
        net.loss = net.layer("softmax_nll", scores, y, name="loss")
    else:
        y = inputs.add("y", roles.target.name)
        outcome = net.layer("sum", net.layer("linear", x, units=1, name="output"), name="standardized_output")
        mean, spread = roles.target.mean or 0.0, roles.target.spread
        output = net.layer("affine", outcome, scale=spread, shift=mean, name="prediction")
        wanted = _standardized(net, y, mean, spread)
        net.loss = net.layer("squared_error", outcome, wanted, name="loss")
    if l2:
        net.regularize(float(l2))
    classes = roles.target.categories
    net.metadata |= Table(roles.task, y.name, output.name, inputs.sources, inputs.categories, classes).notes()
    return net


class _Inputs:
    """The inputs of a network, and the columns that they take."""

    def __init__(self) -> None:
        self.network = Network()
        self.sources: dict[str, Source] = {}
        self.categories: dict[str, tuple[str, ...]] = {}

    def add(
        self,
        wanted: str,
        source: Source,
        shape: tuple[int, ...] = (),
        dtype: str | None = None,
        categories: tuple[str, ...] = (),
    ) -> Handle:
        """Add an input whose name resembles another one.

        Args:
            wanted: The name that it resembles.
            source: The columns that it takes.
            shape: Of one row.
            dtype: "int64" for integers.
            categories: The texts that its integers stand for.
        """
        plain = re.sub(r"\W+", "_", wanted, flags=re.ASCII).strip("_")[:48] or "column"
        first = f"_{plain}" if plain[0].isdigit() else plain
        name, number = first, 2
        while name in self.sources or name in NODES:
            name, number = f"{first}_{number}", number + 1
        self.sources[name] = source
        if categories:
            self.categories[name] = categories
        return self.network.input(name, shape, dtype)


def _features(inputs: _Inputs, roles: Roles) -> list[Handle]:
    """Add the inputs of all columns but the target, and return their vectors."""
    net, parts = inputs.network, list[Handle]()
    if columns := roles.numbers:
        x = inputs.add("x", [column.name for column in columns], (len(columns),))
        means, spreads = [column.mean or 0.0 for column in columns], [column.spread for column in columns]
        parts.append(_standardized(net, x, means, spreads))
    for column in roles.arrays:
        x = inputs.add(column.name, column.name, column.shape)
        x = _standardized(net, x, column.mean or 0.0, column.spread)
        parts.append(net.layer("flatten", x) if len(column.shape) > 1 else x)
    for column in roles.categories:
        x = inputs.add(column.name, column.name, dtype="int64", categories=column.categories)
        width = min(WIDEST, (column.count + 1) // 2)
        parts.append(net.layer("embedding", x, rows=column.count, width=width))
    return parts


def _standardized(net: Network, x: Handle, mean: ArrayLike, spread: ArrayLike) -> Handle:
    """Add (x − mean) / spread: in two layers, which keep the digits of large numbers that differ little."""
    x = net.layer("affine", x, shift=np.negative(mean))
    return net.layer("affine", x, scale=np.divide(1, spread))


def _sizes(hidden: Iterable[int]) -> list[int]:
    sizes = [*hidden] if isinstance(hidden, Iterable) else [hidden]
    if not all(isinstance(units, int) and not isinstance(units, bool) and units >= 1 for units in sizes):
        raise wrong_argument("/hidden", "units of each hidden layer, as (100,)", hidden)
    return sizes
