"""What a command reads: FILE, a request or a spec alone, and arrays in .npz files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO
from zipfile import BadZipFile

import click
import numpy as np

from deltawire import Client, Published, wire
from deltawire.errors import Fault, Refused
from deltawire.request_builder import default_dtype, inputs_of, integer_inputs, resolve_published
from deltawire.wire import Array
from deltawire_service.cli.terminal import shape_text
from deltawire_service.faults import load, shown
from deltawire_service.schemas.requests import GradientsSchema

Leaves = Mapping[str, Any]
"""Tensors by name, as arrays or as a JSON document has them."""


@dataclass(frozen=True)
class Request:
    """What FILE holds. `params` and `data` are None where it has none."""

    network: Mapping[str, Any]
    params: Leaves | None
    data: Leaves | None
    dtype: str
    options: Mapping[str, Any]

    def pick(self, *options: str) -> dict[str, Any]:
        """Those of these options that FILE gives."""
        return {option: self.options[option] for option in options if option in self.options}


def read_request(file: BinaryIO, dtype: str | None = None, client: Client | None = None) -> Request:
    """A request as for POST /v1/gradients, whose params and data may be missing; or a spec alone.

    dtype: to compute with, else that of the request. client: of the service that knows the networks it
    publishes. Raises Refused with a fault for every field that does not fit. The network is left to the
    service.
    """
    with read_from(file):
        document = wire.decode(file.read(), wire.JSON)
    if not isinstance(document, dict) or "network" not in document:
        document = {"network": document}
    network = document["network"]
    if not isinstance(network, dict):
        raise Refused([Fault("/network", "field_invalid", f"expected an object, got {shown(network)}")])
    loaded = load(GradientsSchema(partial=("data",)), document)
    found = resolve_published(network, client.published) if client else network
    dtype = dtype or (loaded["dtype"] if "dtype" in document else default_dtype(found))
    return Request(found, document.get("params"), document.get("data"), dtype, document)


@contextmanager
def read_from(file: BinaryIO) -> Iterator[None]:
    """Whatever is refused inside is refused by the name of the file."""
    try:
        yield
    except Refused as refused:
        name = getattr(file, "name", "<stdin>").replace("<stdin>", "standard input")
        raise Refused(fault._replace(detail=f"{name}: {fault.detail}") for fault in refused.faults) from None


def npz(path: str) -> Leaves:
    """The arrays in a file of numpy.savez, by name."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except OSError as error:
        raise click.BadParameter(f"'{path}': {error.strerror}") from None
    except (BadZipFile, EOFError, TypeError, ValueError):  # whose words are about pickles
        raise click.BadParameter(f"'{path}' is no .npz file of numbers, as numpy.savez writes them") from None


def arrays(
    client: Client, request: Request, params: Leaves | None, data: Leaves | None, seed: int | None
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Parameters and data, of the request's dtype: those given beside FILE, else those in it.

    Parameters that are given nowhere, or a seed is given for, are drawn, unless they are published. Raises
    UsageError without data.
    """
    network = request.network
    if params is not None and seed is not None:
        raise click.UsageError("parameters come from --params or from --seed, not from both")
    if params is None and seed is None:
        params = {} if request.params is None and isinstance(network, Published) else request.params
    if params is None:
        params = client.init(network, seed or 0, request.dtype)
    if isinstance(network, Published):
        network.check_dtype(request.dtype, params)
    data = request.data if data is None else data
    if data is None:
        client.plan(network)  # what is wrong with the network comes first
        needed = {name: slot for name, slot in inputs_of(network).items() if not slot.get("pinned")}
        if needed:
            wanted = ", ".join(_wanted(name, slot) for name, slot in needed.items())
            raise click.UsageError(f"FILE has no data: give --data FILE.npz with arrays for {wanted}")
        data = {}
    return (
        {name: _tensor(leaf, request.dtype, f"/params/{name}") for name, leaf in params.items()},
        batch(request, data),
    )


def batch(request: Request, data: Leaves) -> dict[str, Array]:
    """Data for the network, of the request's dtype, or of integers where the network takes those."""
    dtypes = dict.fromkeys(data, request.dtype) | dict.fromkeys(integer_inputs(request.network), "int64")
    return {name: _tensor(leaf, dtypes[name], f"/data/{name}") for name, leaf in data.items()}


def batch_size(request: Request) -> int:
    """Examples in FILE's data; 1 where it has none."""
    inputs = inputs_of(request.network)
    for name, array in batch(request, request.data or {}).items():
        if array.ndim and not inputs.get(name, {}).get("shared"):
            return len(array)
    return 1


def _wanted(name: str, slot: Mapping[str, Any]) -> str:
    shape = slot["shape"] if slot.get("shared") else ["batch", *slot["shape"]]
    integers = " of integers" if slot.get("dtype") == "int64" else ""
    return f"{name} {shape_text(shape)}{integers}"


def _tensor(leaf: Any, dtype: str, pointer: str) -> Array:
    if isinstance(leaf, np.ndarray):
        if leaf.dtype.name == dtype:
            return leaf
        leaf = leaf.tolist()
    return wire.read_tensor(leaf, dtype, pointer)
