"""Files of networks and arrays: saved networks, requests as JSON, checkpoints, and .npz.

A saved network is a safetensors file that holds a request: the spec as JSON in its metadata, and a tensor for
every parameter. `deltawire publish` writes the same file, and a service serves it by name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
from numpy.typing import ArrayLike

from deltawire import wire
from deltawire.arrays import as_numbers, common_dtype, to_tensor
from deltawire.connection import RESPONSE_LIMITS
from deltawire.errors import Fault, Refused, wrong_argument
from deltawire.network.planner import Planner
from deltawire.replacement import replacing
from deltawire.text import shape_text
from deltawire.wire import Array

SUFFIX = ".safetensors"
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}\Z", re.ASCII)
"""Names that a network can be published under, as the service reads them."""

LIMITS = RESPONSE_LIMITS
"""Bounds on files. The caller chose them, as it chose the service whose responses it reads."""

FilePath = str | os.PathLike[str]


def one_dtype(params: Mapping[str, ArrayLike]) -> dict[str, Array]:
    """Return parameters as arrays of their one dtype.

    Raises:
        Refused: An array is none, or has another dtype than the others.
    """
    if not isinstance(params, Mapping):
        raise wrong_argument("/params", "arrays by name", params)
    numbers = {name: as_numbers(array, f"/params/{name}") for name, array in params.items()}
    dtype = common_dtype({f"/params/{name}": array for name, array in numbers.items()})
    return {name: to_tensor(array, dtype, f"/params/{name}") for name, array in numbers.items()}


def save(path: FilePath, spec: Mapping[str, Any], params: Mapping[str, ArrayLike]) -> None:
    """Write a network with its parameters; see `Network.save`.

    Args:
        path: Of the file.
        spec: Of the network.
        params: Arrays by name; not necessarily all.

    Raises:
        Refused: A parameter belongs to no node, or cannot be written without changing its numbers.
        OSError: The file cannot be written.
    """
    arrays = one_dtype(params)
    _check_owners(spec, arrays)
    write(path, spec, arrays)


def _check_owners(spec: Mapping[str, Any], params: Mapping[str, Array]) -> None:
    """Check that every parameter belongs to a node or an input of a spec, as `hidden.weight` to `hidden`.

    Raises:
        Refused: With a fault for every parameter that does not.
    """
    places = {*spec["inputs"], *(node["name"] for node in spec["nodes"])}
    faults = [
        Fault(f"/params/{name}", "unknown_parameter", "the network has no node or input of this name")
        for name in params
        if name.partition(".")[0] not in places
    ]
    if faults:
        raise Refused(faults)


def write(
    path: FilePath,
    spec: Mapping[str, Any],
    params: Mapping[str, Array],
    data: Mapping[str, Array] | None = None,
) -> None:
    """Write a saved network. A file of this name is replaced in one step, so that a service may have it open.

    Args:
        path: Of the file.
        spec: Of the network.
        params: Arrays of one dtype by name; not necessarily all.
        data: Inputs that a service may leave out of requests, by name.
    """
    document = {"network": spec, "params": params} | ({"data": data} if data else {})
    with replacing(Path(path)) as draft, draft.open("wb") as file:
        file.writelines(wire.encode_in_parts(document, wire.SAFETENSORS))


ZIP = b"PK"
"""The first bytes of a zip file, as of an .npz."""

TORCH = "this is a checkpoint of torch: docs/importers.md imports its module"


def document_in(body: bytes | memoryview) -> Any:
    """Return the document in the bytes of a saved network, or in those of a request or a spec in JSON.

    The answer with the parameters of a model will do too, without its `origin`.

    Raises:
        Refused: They are neither.
    """
    if other := _other_format(body):
        detail = f"expected a network: JSON, or a file of Network.save; {other}"
        raise Refused([Fault("", "json_invalid", detail)])
    # The eight bytes before the header are its length, of which some are 0. JSON has no such byte.
    media_type = wire.SAFETENSORS if b"\0" in bytes(body[:8]) else wire.JSON
    part = "response" if media_type == wire.SAFETENSORS and wire.is_response(body, LIMITS) else "request"
    document = wire.decode(body, media_type, LIMITS, part)
    if isinstance(document, dict):
        document.pop("origin", None)
    return document


def _other_format(body: bytes | memoryview) -> str:
    """Return what a file of another format is, and the way from it to a network; empty for all others."""
    begin = bytes(body[:4])
    if begin[:2] == ZIP:
        with suppress(BadZipFile), ZipFile(BytesIO(body)) as file:
            members = {name.rpartition("/")[2] for name in file.namelist()}
            if "data.pkl" in members:
                return TORCH
            if "model.weights.h5" in members:
                return "this is a model of Keras: export it as ONNX, see docs/importers.md"
        return "an .npz has arrays and no network"  # also when it is damaged, and cannot be told from one
    if begin == b"\x80\x02\x8a\n":  # a pickle of a long number, with which files of torch began before 1.6
        return TORCH
    return "this is a file of HDF5: docs/importers.md imports models" if begin == b"\x89HDF" else ""


def arrays_in(body: bytes | memoryview) -> dict[str, Array]:
    """Return the arrays in the bytes of a file, by name: a saved network, a checkpoint, or an .npz.

    Raises:
        Refused: They are none of these.
    """
    if bytes(body[:2]) != ZIP:
        tensors = wire.read_checkpoint(body, LIMITS)
        return {name.removeprefix("params/"): array for name, array in tensors.items()}
    try:
        with np.load(BytesIO(body), allow_pickle=False) as file:
            members = dict(file)
    except Exception as error:  # numpy documents none: damage raises zlib.error, TokenError and ten others
        raise _no_npz(str(error)) from error
    for name, member in members.items():
        if not isinstance(member, np.ndarray):
            raise _no_npz(f"'{name}' in it is no array; is it a checkpoint of torch?")
    return members


def _no_npz(reason: str) -> Refused:
    return Refused([Fault("", "tensor_body_invalid", f"this is no .npz file of numbers: {reason}")])


def read_network(path: FilePath) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the spec and the parameters in a file: saved, or a request or a spec in JSON.

    Raises:
        Refused: The file holds no network.
        OSError: The file cannot be read.
    """
    document = document_in(np.fromfile(path, np.uint8).data)  # in memory that the arrays may write to
    if not isinstance(document, dict) or "network" not in document:
        document = {"network": document}
    spec, params = document["network"], document.get("params", {})
    if not isinstance(spec, dict) or not {"inputs", "nodes"} <= spec.keys() or not isinstance(params, dict):
        raise Refused([Fault("/network", "field_invalid", f"{os.fspath(path)} holds no spec of a network")])
    dtype = document.get("dtype", "float64")
    return spec, {
        name: leaf if isinstance(leaf, np.ndarray) else wire.read_tensor(leaf, dtype, f"/params/{name}")
        for name, leaf in params.items()
    }


def publish(
    client: Planner,
    name: str,
    spec: Mapping[str, Any],
    params: Mapping[str, ArrayLike],
    into: FilePath | None,
) -> Path:
    """Write a saved network below the name that a service finds it by; see `Network.publish`.

    Args:
        client: Whose service checks the network and the parameters.
        name: To serve it by.
        spec: Of the network.
        params: Arrays by name, all of them.
        into: The folder; by default that of the setting DELTAWIRE_NETWORKS_DIR, or the current one.

    Raises:
        Refused: The name, the network or a parameter is wrong.
    """
    if not NAME.match(name):
        detail = f"{name!r} is no name: letters, digits, _ and -, not starting with -, at most 64"
        raise Refused([Fault("/name", "name_invalid", detail)])
    arrays = one_dtype(params)
    dtype = next(iter(arrays.values())).dtype.name if arrays else "float64"
    _check_parameters(client.plan(spec, dtype=dtype), arrays)
    folder = Path(os.environ.get("DELTAWIRE_NETWORKS_DIR") or "." if into is None else into)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}{SUFFIX}"
    write(path, spec, arrays)
    return path


def _check_parameters(plan: Mapping[str, Any], params: Mapping[str, Array]) -> None:
    """Check that parameters are those of a network, all of them and no others, each in its shape.

    Args:
        plan: The answer of POST /v1/plan for the network.
        params: Arrays by name.

    Raises:
        Refused: With a fault for every parameter that is wrong.
    """
    shapes = {parameter["name"]: tuple(parameter["shape"]) for parameter in plan["parameters"]}
    faults = [
        Fault(f"/params/{name}", "missing_parameter", f"missing: expected an array {shape_text(shape)}")
        for name, shape in shapes.items()
        if name not in params
    ]
    for name, array in params.items():
        if name not in shapes:
            faults.append(Fault(f"/params/{name}", "unknown_parameter", "the network has no such parameter"))
        elif array.shape != shapes[name]:
            detail = f"expected shape {shape_text(shapes[name])}, got {shape_text(array.shape)}"
            faults.append(Fault(f"/params/{name}", "shape_mismatch", detail))
    if faults:
        raise Refused(faults)
