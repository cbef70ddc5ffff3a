"""The files that commands read: FILE, a request or a spec alone, and arrays in .npz files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import click
import numpy as np

from deltawire import Client, Published, wire
from deltawire.arrays import common_dtype
from deltawire.connection import RESPONSE_LIMITS
from deltawire.errors import Fault, Refused
from deltawire.network.files import arrays_in, document_in
from deltawire.request_builder import default_dtype, inputs_of, integer_inputs, resolve_published
from deltawire.text import shape_text
from deltawire.wire import Array
from deltawire_plugins.shown import shown
from deltawire_service.faults import load
from deltawire_service.schemas.requests import GradientsRequest, schema_of

Leaves = Mapping[str, Any]
"""Tensors by name, as arrays or as a JSON document has them."""


@dataclass(frozen=True)
class Request:
    """The contents of FILE.

    Attributes:
        network: A spec, or a published network.
        params: None where FILE has none.
        data: None where FILE has none.
        dtype: To compute with.
        options: Everything else in FILE.
    """

    network: Mapping[str, Any]
    params: Leaves | None
    data: Leaves | None
    dtype: str
    options: Mapping[str, Any]

    def pick(self, *options: str) -> dict[str, Any]:
        """Return those of these options that FILE has."""
        return {option: self.options[option] for option in options if option in self.options}


def read_request(file: BinaryIO, dtype: str | None = None, client: Client | None = None) -> Request:
    """Read a request as for POST /v1/gradients, whose params and data may be missing, or a spec alone.

    Args:
        file: Holds JSON, or what `Network.save` writes.
        dtype: To compute with; by default that of the request.
        client: Of the service that knows published networks. The service checks the network itself.

    Raises:
        Refused: With a fault for every field that does not fit.
    """
    with naming(file):
        document = document_in(file.read())
    if not isinstance(document, dict) or "network" not in document:
        document = {"network": document}
    network = document["network"]
    if not isinstance(network, dict):
        raise Refused([Fault("/network", "field_invalid", f"expected an object, got {shown(network)}")])
    loaded = load(schema_of(GradientsRequest)(partial=("data",)), document)
    resolved = resolve_published(network, client.published) if client else network
    dtype = dtype or (loaded["dtype"] if "dtype" in document else _dtype_of(document, resolved))
    return Request(resolved, document.get("params"), document.get("data"), dtype, document)


@contextmanager
def naming(file: BinaryIO) -> Iterator[None]:
    """Put the name of the file before the detail of whatever is refused inside."""
    try:
        yield
    except Refused as refused:
        name = getattr(file, "name", "<stdin>").replace("<stdin>", "standard input")
        faults = [replace(fault, detail=f"{name}: {fault.detail}") for fault in refused.faults]
        raise Refused(faults) from None


def read_arrays(path: str) -> Leaves:
    """Read the arrays of a file by name: an .npz, a checkpoint, what `Network.save` writes, or JSON."""
    try:
        body = Path(path).read_bytes()
        is_json = b"\0" not in body[:8]  # all the other formats have zeros there
        return _leaves_in(body) if is_json else arrays_in(body)
    except OSError as error:
        raise click.BadParameter(f"'{path}': {error.strerror}") from None
    except Refused:
        raise click.BadParameter(
            f"'{path}' is not an .npz file of numbers, as numpy.savez writes them, nor one of safetensors, "
            'nor JSON such as {"x": [[1.0, 2.0]]}'
        ) from None


def _leaves_in(body: bytes) -> Leaves:
    """Return the tensors in JSON. Raises Refused where it is no object."""
    document = wire.decode(body, wire.JSON, RESPONSE_LIMITS)
    if not isinstance(document, dict):
        raise Refused([Fault("", "json_invalid", "expected an object of tensors by name")])
    return document


def default_data(
    client: Client, request: Request, params: Leaves | None, data: Leaves | None, seed: int | None
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return parameters and data of the request's dtype: those passed beside FILE, else those in it.

    Args:
        client: Draws parameters that are passed nowhere, unless the network is published.
        request: The contents of FILE.
        params: Of `--params`.
        data: Of `--data`.
        seed: Of `--seed`: draw parameters from it, whatever FILE has.

    Raises:
        UsageError: There is no data, or parameters come from two places.
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
        client.plan(network)  # a wrong network is reported before missing data
        needed = {name: entry for name, entry in inputs_of(network).items() if not entry.get("pinned")}
        if needed:
            expected = ", ".join(_described(name, entry) for name, entry in needed.items())
            raise click.UsageError(f"FILE has no data: pass --data FILE.npz with arrays for {expected}")
        data = {}
    return param_arrays(request, params), batch_arrays(request, data)


def _dtype_of(document: Mapping[str, Any], network: Mapping[str, Any]) -> str:
    """Return the dtype of the arrays in a document; without any, that of the network."""
    params = document.get("params")
    leaves = params.items() if isinstance(params, Mapping) else ()
    arrays = {f"/params/{name}": leaf for name, leaf in leaves if isinstance(leaf, np.ndarray)}
    return common_dtype(arrays, default_dtype(network))


def param_arrays(request: Request, params: Leaves) -> dict[str, Array]:
    """Return parameters of the request's dtype."""
    return {name: _tensor(leaf, request.dtype, f"/params/{name}") for name, leaf in params.items()}


def batch_arrays(request: Request, data: Leaves) -> dict[str, Array]:
    """Return data of the request's dtype, and integers where the network takes those."""
    dtypes = dict.fromkeys(data, request.dtype) | dict.fromkeys(integer_inputs(request.network), "int64")
    return {name: _tensor(leaf, dtypes[name], f"/data/{name}") for name, leaf in data.items()}


def constants_of(request: Request) -> dict[str, Array]:
    """Return the data of FILE for constants of the network, which a model keeps."""
    inputs = inputs_of(request.network)
    data = {name: leaf for name, leaf in (request.data or {}).items() if inputs.get(name, {}).get("constant")}
    return batch_arrays(request, data)


def batch_size(request: Request) -> int:
    """Return the number of examples in FILE's data; 1 where it has none."""
    inputs = inputs_of(request.network)
    for name, array in batch_arrays(request, request.data or {}).items():
        if array.ndim and not inputs.get(name, {}).get("shared"):
            return len(array)
    return 1


def _described(name: str, entry: Mapping[str, Any]) -> str:
    shape = entry["shape"] if entry.get("shared") else ["batch", *entry["shape"]]
    integers = " of integers" if entry.get("dtype") == "int64" else ""
    return f"{name} {shape_text(shape)}{integers}"


def _tensor(leaf: Any, dtype: str, pointer: str) -> Array:
    if isinstance(leaf, np.ndarray):
        if leaf.dtype.name == dtype:
            return leaf
        leaf = leaf.tolist()
    return wire.read_tensor(leaf, dtype, pointer)
