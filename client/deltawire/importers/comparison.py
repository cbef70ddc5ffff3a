"""Compare an import with its original: plan it, and compute two random batches with both."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any, NoReturn, Protocol

import numpy as np

from deltawire.client import Client
from deltawire.errors import Fault, NotInstalled, Refused
from deltawire.importers.builder import Imported
from deltawire.importers.reductions import reduced, reduction_of, spread
from deltawire.wire import Array

SIZES = 2, 3
"""Sizes of the two batches; they differ from those the model was traced with."""

TIMES = 16.0
"""Allowed difference, in units of the observed effect of rounding."""

FLOAT32 = 1e-5
"""Allowed difference of float32 numbers, relative to the greatest of them."""

FLOAT64 = 1e-9
"""Allowed difference of float64 numbers, relative to the greatest of them."""


class Original(Protocol):
    """The original of an import; it takes data by the names of the network's inputs."""

    examples: Mapping[str, Array]
    """Example data by input; the second batch is drawn from them."""
    within: Mapping[str, float]
    """Allowed difference from the network's numbers, relative to the greatest of them, by dtype."""

    def run(self, data: Mapping[str, Array]) -> list[Array]:
        """Return its outputs for a batch, in order."""

    def gradients(self, data: Mapping[str, Array], cotangents: list[Array]) -> dict[str, Array]:
        """Return Σ cotangent · ∂output/∂(parameter, input) by descriptions for messages; {} without any."""

    def named(self, products: Mapping[str, Array]) -> dict[str, Array]:
        """Return the network's products under the names and in the layout of `gradients`."""


def compare(imported: Imported, original: Original, client: Client | None) -> None:
    """Check that the service can plan a network, and that it computes the same as its original.

    Args:
        imported: The network, its parameters and constants.
        original: The model it was imported from.
        client: The client that computes the network; None for an embedded one.

    Raises:
        Refused: The service cannot plan it, or values or gradients differ by more than rounding.
        NotInstalled: No client is given, and the service is not installed.
    """
    service = client or _embedded(os.getpid())
    outputs = list(dict.fromkeys(imported.outputs))
    try:
        service.plan(imported.network, SIZES[-1], values=outputs)
    except Refused as error:
        if not error.pointer.startswith("/network"):
            raise
        raise _refusal(f"the service cannot plan the network: {error}") from error
    compared = 0
    for size, draws in zip(SIZES, ((_normal, _alike, _drawn), (_alike, _drawn)), strict=True):
        for draw in draws:
            try:
                compared += _compare_on(service, imported, original, _batch(imported, original, size, draw))
            except _OutOfDomain as error:
                if draw is draws[-1]:
                    raise error.error from error
            else:
                break
    if not compared:
        _refuse("no number that the model computes for random input is finite: nothing could be compared")


@cache
def _embedded(process: int) -> Client:
    """Return an embedded client. It is cached for each process, since its start is slow."""
    try:
        return Client()
    except NotInstalled as error:
        detail = (
            "an import is compared with its origin by the service itself: pip install 'deltawire[service]', "
            "name another service with client=Client(url), or import without comparing, check=False"
        )
        raise NotInstalled([Fault("", "not_installed", detail)]) from error


class _OutOfDomain(Exception):
    """The model, or a layer, does not take the numbers drawn: its rates are positive, or its targets few."""

    def __init__(self, error: Exception):
        super().__init__(error)
        self.error = error


def _compare_on(client: Client, imported: Imported, original: Original, data: dict[str, Array]) -> int:
    """Compare values and gradients on one batch; return the number of finite numbers compared."""
    network, params, constants, names = imported
    used = {name for node in network.spec()["nodes"] for name in node["inputs"]}
    sent = {name: array for name, array in (constants | data).items() if name in used}
    outputs = list(dict.fromkeys(names))
    try:
        theirs = original.run(data)
    except Exception as error:  # foreign code raises anything for numbers out of its domain
        raise _OutOfDomain(error) from error
    try:
        values = client.forward(network, params, sent, outputs, non_finite="return")
    except Refused as error:
        if not error.pointer.startswith("/data/"):
            raise
        raise _OutOfDomain(error) from error
    if len(theirs) != len(names):
        _refuse(f"the model gives {len(theirs)} results, the network {len(names)}")
    reductions = [reduction_of(network, name) for name in names]

    def outputs_of(values: Mapping[str, Array]) -> list[Array]:
        """Return the outputs of the model, given those of the network."""
        return [reduced(values[name], how) for name, how in zip(names, reductions, strict=True)]

    for place, (right, ours) in enumerate(zip(theirs, outputs_of(values), strict=True)):
        if right.shape != ours.shape or right.dtype != ours.dtype:
            given = f"{right.dtype} {list(right.shape)}"
            _refuse(f"output {place} is {given}, and the network gives {ours.dtype} {list(ours.shape)}")

    stream = np.random.default_rng(len(data))
    cotangents = [stream.standard_normal(right.shape).astype(right.dtype) for right in theirs]
    along = {name: np.zeros_like(values[name]) for name in outputs}
    for name, how, cotangent in zip(names, reductions, cotangents, strict=True):
        along[name] = along[name] + spread(cotangent, how, len(values[name]))
    floats = [name for name, array in data.items() if array.dtype.kind == "f" and name in used]
    wrt: dict[str, bool | list[str]] = {"params": bool(params), "data": floats}

    def of_original(batch: Mapping[str, Array]) -> dict[str, Array]:
        """Return all numbers of the original, by their description for messages."""
        return _values(original.run(batch)) | original.gradients(batch, cotangents)

    def of_network(dtype: str) -> dict[str, Array]:
        """Return the same numbers of the network, computed in a dtype."""
        parameters, brought, directions = (_cast(arrays, dtype) for arrays in (params, sent, along))
        results = client.forward(network, parameters, brought, outputs, non_finite="return")
        numbers = _values(outputs_of(results))
        if not (params or floats):
            return numbers
        products = client.vjp(network, parameters, brought, directions, wrt=wrt, non_finite="return")
        return numbers | original.named(products)

    known, near = of_original(data), of_original(_nearest(data))
    exact, coarse = of_network("float64"), of_network("float32")
    for what in known.keys() & exact.keys():
        relative = original.within[str(known[what].dtype)]
        _check_same(what, known[what], near[what], exact[what], coarse[what], relative)
    return sum(int(np.isfinite(array).sum()) for array in theirs)


def _values(outputs: list[Array]) -> dict[str, Array]:
    return {f"the value of output {place}": array for place, array in enumerate(outputs)}


def _check_same(what: str, right: Array, near: Array, exact: Array, coarse: Array, relative: float) -> None:
    """Raise Refused when numbers differ from the network's by more than rounding explains.

    Args:
        what: A description of the numbers, for the message.
        right: The numbers of the original.
        near: Those for the nearest floating-point data; their change measures the original's rounding.
        exact: The numbers of the network in float64.
        coarse: Those in float32; their distance from `exact` measures the network's rounding.
        relative: The allowed difference, relative to the greatest number.
    """
    finite = np.isfinite(right) & np.isfinite(exact)
    with np.errstate(all="ignore"):
        size = np.abs(right[finite]).max(initial=0.0)
        moved = np.abs(exact - coarse)[finite & np.isfinite(coarse)].max(initial=0.0)
        shaken = np.abs(right - near)[finite & np.isfinite(near)].max(initial=0.0)
        off = np.abs(exact - right)[finite].max(initial=0.0)
    lost = np.isfinite(right) & ~np.isfinite(coarse if right.dtype == np.float32 else exact)
    within = relative * (size + TIMES / FLOAT32 * moved) + TIMES * shaken
    if off > within or lost.any():
        by = f"off by {off:.3g}, of numbers up to {size:.3g}"
        _refuse(f"on random numbers, {what} is another than the model's ({by})")


def _batch(imported: Imported, original: Original, size: int, draw: Any) -> dict[str, Array]:
    """Draw data for the inputs; indices are less than the number of rows of their table."""
    spec = imported.network.spec()
    stream = np.random.default_rng(size)
    floats = [array.dtype for array in imported.params.values()]
    floats += [array.dtype for array in original.examples.values() if array.dtype.kind == "f"]
    batch: dict[str, Array] = {}
    for name, slot in spec["inputs"].items():
        if name in imported.constants or "parameter" in slot:
            continue
        shape = (size, *slot["shape"])
        if slot.get("dtype") == "int64":
            batch[name] = _whole(spec, name, stream, shape, original.examples.get(name))
        else:
            batch[name] = draw(stream, shape, original.examples.get(name)).astype(floats[0])
    return batch


def _whole(
    spec: Mapping[str, Any],
    name: str,
    stream: np.random.Generator,
    shape: tuple[int, ...],
    example: Array | None,
) -> Array:
    """Draw whole numbers: rows of the table that reads them, else numbers of the example, such as labels."""
    tables = [
        node["config"]["rows"]
        for node in spec["nodes"]
        if node["kind"] == "embedding" and name in node["inputs"]
    ]
    if tables or example is None or not example.size:
        return stream.integers(0, min(tables, default=2), shape)
    return stream.choice(example.ravel(), shape)


def _normal(stream: np.random.Generator, shape: tuple[int, ...], example: Array | None) -> Array:
    return stream.standard_normal(shape)


def _alike(stream: np.random.Generator, shape: tuple[int, ...], example: Array | None) -> Array:
    """Draw numbers near those of an example, shuffled; positive ones if the example is constant."""
    around = stream.uniform(0.5, 1.5, shape)
    if example is None or not example.size or np.ptp(example) == 0 or not np.isfinite(example).all():
        return around
    near: Array = around * stream.choice(example.ravel(), shape)
    return near


def _drawn(stream: np.random.Generator, shape: tuple[int, ...], example: Array | None) -> Array:
    """Draw the numbers of an example themselves, in another order."""
    return (
        _alike(stream, shape, None)
        if example is None or not example.size
        else stream.choice(example.ravel(), shape)
    )


def _nearest(data: Mapping[str, Array]) -> dict[str, Array]:
    """Return the next floating-point numbers, toward 0, so that probabilities stay what they are."""
    return {name: np.nextafter(a, np.zeros_like(a)) if a.dtype.kind == "f" else a for name, a in data.items()}


def _cast(arrays: Mapping[str, Array], dtype: str) -> dict[str, Array]:
    return {name: a.astype(dtype) if a.dtype.kind == "f" else a for name, a in arrays.items()}


def _refusal(why: str) -> Refused:
    return Refused([Fault("", "not_expressible", why)])


def _refuse(why: str) -> NoReturn:
    raise _refusal(why)
