"""Train with batches of examples in a random order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from deltawire.arrays import as_numbers
from deltawire.client import Client
from deltawire.errors import Fault, Refused, wrong_argument
from deltawire.optim.optimizer import Optimizer
from deltawire.request_builder import Arrays, Spec, arrays_by_name, inputs_of, resolve_published
from deltawire.wire import Array


class Shuffler(Protocol):
    """Draws random orders, as `numpy.random.Generator` and `RandomState` do."""

    def permutation(self, x: int, /) -> Any:
        """Return the whole numbers below x in a random order."""


def batches(
    data: Mapping[Any, Any], size: int, seed: int | Shuffler = 0, shared: Collection[str] = ()
) -> Iterator[dict[str, Any]]:
    """Yield every example once, in a random order, `size` of them at a time.

    The last batch is smaller where the examples do not divide evenly.

    Args:
        data: Inputs by name, (examples, *shape).
        size: Examples in a batch.
        seed: Of the order; or a generator of numpy, which draws another order each time.
        shared: Names of inputs without an axis of examples, which go into every batch as they are.

    Returns:
        An iterator of `data` for `Client.value_and_grad`.

    Raises:
        Refused: The size is no whole number of at least 1, or two inputs have different numbers of examples.
    """
    if not isinstance(size, int | np.integer) or isinstance(size, bool) or size < 1:
        raise wrong_argument("/size", "a whole number of at least 1", size)
    arrays = {
        name: as_numbers(array, f"/data/{name}") for name, array in arrays_by_name("data", data).items()
    }
    count = _examples({name: array for name, array in arrays.items() if name not in shared})
    stream = seed if hasattr(seed, "permutation") else np.random.default_rng(seed)
    order = stream.permutation(count)
    for start in range(0, count, int(size)):
        rows = order[start : start + int(size)]
        yield {name: array if name in shared else _rows_of(array, rows) for name, array in arrays.items()}


def _examples(arrays: Mapping[str, Any]) -> int:
    """Return the number of examples that all inputs have."""
    counts = {}
    for name, array in arrays.items():
        if not isinstance(array, list | np.ndarray) or not np.ndim(array):
            raise wrong_argument(f"/data/{name}", "one row for each example", array)
        counts[name] = len(array)
    first = next(iter(counts), "")
    faults = [
        Fault(f"/data/{name}", "batch_mismatch", f"expected {counts[first]} examples like '{first}', got {n}")
        for name, n in counts.items()
        if n != counts[first]
    ]
    if faults:
        raise Refused(faults)
    if not counts or not counts[first]:
        raise Refused([Fault("/data", "batch_empty", "there is no example to train with")])
    return counts[first]


def _rows_of(array: Any, rows: Array) -> Any:
    return array[rows] if isinstance(array, np.ndarray) else [array[row] for row in rows]


def fit(
    client: Client,
    net: Spec,
    params: dict[str, Array],
    data: Arrays,
    optimizer: Optimizer,
    *,
    epochs: int | Iterable[Any] = 1,
    batch_size: int = 32,
    seed: int | Shuffler = 0,
    parameters: Iterable[str] = ("*",),
) -> list[float]:
    """Train: take one step for each batch of a shuffled epoch. The parameters are changed in place.

    Args:
        client: Whose service computes the gradients.
        net: The network.
        params: Its parameters by name, numpy arrays.
        data: Inputs by name, (examples, *shape); shared ones without the axis of examples.
        optimizer: Takes the steps, and keeps its state: a second call goes on.
        epochs: How many passes through the data; or an iterable with an item for each, as
            `rich.progress.track(range(20))`, which shows a progress bar.
        batch_size: Examples in a step.
        seed: Of the orders of the examples; or a generator of numpy.
        parameters: Globs of the parameters that are trained, as `["head.*"]`; by default all.

    Returns:
        The mean loss of each epoch, over its steps.

    Raises:
        Refused: The data do not fit each other, or as by `Client.value_and_grad` and `Optimizer.step`.
        DeltawireError: As by `Client.value_and_grad`.
    """
    inputs = inputs_of(resolve_published(net, client.published))
    shared = {name for name, entry in inputs.items() if entry.get("shared")}
    stream = seed if hasattr(seed, "permutation") else np.random.default_rng(seed)
    wrt, losses = {"params": list(parameters)}, []
    for _ in range(epochs) if isinstance(epochs, int) else epochs:
        total, examples = 0.0, 0
        for batch in batches(data, batch_size, stream, shared):
            loss, gradients = client.value_and_grad(net, params, batch, wrt=wrt)
            optimizer.step({name: params[name] for name in gradients}, gradients)
            count = next(len(array) for name, array in batch.items() if name not in shared)
            total, examples = total + loss * count, examples + count
        losses.append(total / examples)
    return losses
