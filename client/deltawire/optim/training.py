"""Train with batches of examples in a random order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Protocol, runtime_checkable
from zlib import crc32

import numpy as np

from deltawire.arguments.kinds import is_whole_number, list_of_names, whole_number
from deltawire.arguments.methods import at_the_caller
from deltawire.arguments.names import arrays_by_name, check_order
from deltawire.arrays import as_numbers
from deltawire.computations import value_and_grad
from deltawire.errors import DeltawireError, Fault, Refused, wrong_argument
from deltawire.optim.batch_faults import of_training
from deltawire.request_builder import Arrays, Caller, Spec, inputs_of
from deltawire.wire import Array

ORDER = "fit(client, net, params, data, optimizer)"


@runtime_checkable
class Shuffler(Protocol):
    """Draws random orders, as `numpy.random.Generator` and `RandomState` do."""

    def permutation(self, x: int, /) -> Any:
        """Return the whole numbers below x in a random order."""


class TakesSteps(Protocol):
    """Takes steps, as `Optimizer` does."""

    def step(self, params: dict[str, Array], gradients: dict[str, Array], /) -> Any:
        """Change the parameters in place."""


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
    size, whole = whole_number("/size", size), set(list_of_names("/shared", shared))
    return (batch for _, batch in _shuffled(data, size, _stream(seed), whole))


def _stream(seed: int | Shuffler) -> Shuffler:
    return seed if isinstance(seed, Shuffler) else np.random.default_rng(seed)


def _shuffled(
    data: Mapping[Any, Any], size: int, stream: Shuffler, shared: Collection[str]
) -> Iterator[tuple[Array, dict[str, Any]]]:
    """Yield the rows of each batch, and the batch."""
    arrays = {
        name: as_numbers(array, f"/data/{name}") for name, array in arrays_by_name("data", data).items()
    }
    count = _examples({name: array for name, array in arrays.items() if name not in shared})
    order = stream.permutation(count)
    for start in range(0, count, size):
        rows = order[start : start + size]
        batch = {name: array if name in shared else _rows_of(array, rows) for name, array in arrays.items()}
        yield rows, batch


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


@at_the_caller
def fit(
    client: Caller,
    net: Spec,
    params: dict[str, Array],
    data: Arrays,
    optimizer: TakesSteps,
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
        optimizer: Takes the steps, and keeps its state: a second call goes on. Any object will do whose
            `step(params, gradients)` changes the parameters in place.
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
    _check_kinds(client, params, data, optimizer)
    inputs = inputs_of(client.requests.resolve(net))
    check_order(inputs, params, data)
    shared = {name for name, entry in inputs.items() if entry.get("shared")}
    size, stream = whole_number("/batch_size", batch_size), _stream(seed)
    wrt, losses, taken, noise = {"params": list_of_names("/parameters", parameters)}, [], 0, 0
    for epoch, _ in enumerate(_passes(epochs), start=1):
        total, examples = 0.0, 0
        for step, (rows, batch) in enumerate(_shuffled(data, size, stream, shared), start=1):
            try:
                noise = crc32(np.asarray(rows).tobytes(), noise)  # other noise follows from the rows so far
                loss, gradients = value_and_grad(client, net, params, batch, wrt=wrt, noise_seed=noise)
                optimizer.step({name: params[name] for name in gradients}, gradients)
            except DeltawireError as error:
                raise of_training(error, rows, shared, epoch, step, taken) from error.__cause__
            total, examples, taken = total + loss * len(rows), examples + len(rows), taken + 1
        losses.append(total / examples)
    return losses


def _check_kinds(client: Any, params: Any, data: Any, optimizer: Any) -> None:
    """Check that each argument is where it belongs.

    Raises:
        Refused: One is of another kind, as when two have changed places.
    """
    if not hasattr(client, "requests"):
        raise wrong_argument("/client", f"a Client first, as in {ORDER}", client)
    for argument, value in (("params", params), ("data", data)):
        if not isinstance(value, Mapping):
            raise wrong_argument(f"/{argument}", f"a dict of arrays by name, as in {ORDER}", value)
    if isinstance(optimizer, type) or not callable(getattr(optimizer, "step", None)):
        expected = f"an optimizer, as optim.adam(1e-3), or an object with step(params, gradients), in {ORDER}"
        raise wrong_argument("/optimizer", expected, optimizer)


def _passes(epochs: Any) -> Iterable[Any]:
    if isinstance(epochs, Iterable) and not isinstance(epochs, str | bytes):
        return epochs
    if not is_whole_number(epochs):
        expected = "a whole number of at least 1, or an iterable with an item for each epoch"
        raise wrong_argument("/epochs", expected, epochs)
    return range(int(epochs))
