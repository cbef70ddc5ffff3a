"""Published networks: read from a folder, with their parameters, and asked for by name.

Each is a file NAME.safetensors that holds a saved request: a network and its parameters, perhaps data and the
nodes whose values it offers. Names are looked up among those that were read: none ever becomes a path.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from mmap import ACCESS_READ, mmap
from pathlib import Path
from types import MappingProxyType
from typing import Any

from marshmallow import Schema
from marshmallow.fields import Field
from structlog.typing import FilteringBoundLogger

from deltawire import wire
from deltawire.errors import Fault, Refused, other_dtype
from deltawire.wire import Array
from deltawire_layers import config
from deltawire_service.engine import Network, PluginError
from deltawire_service.faults import escape, load, nearest, shown
from deltawire_service.http.bodies import float_dtype
from deltawire_service.schemas.requests import MOST_NAMES, Spec, Tensors

SUFFIX = ".safetensors"
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}\Z", re.ASCII)
HEADER_BYTES = 16 * 2**20
"""Length of a file's header: whoever runs the service wrote it, and it may be longer than a request's."""


class SavedSchema(Schema):
    """What a file may hold of a request; the rest is for those who ask."""

    network = Spec(required=True)
    params = Tensors(load_default=dict)
    data = Tensors(load_default=dict)
    values = config.Names(MOST_NAMES)


@dataclass(frozen=True, eq=False)
class Published:
    """A network with its parameters, read-only: views of the file, whose pages all processes share."""

    name: str
    network: Network
    params: Mapping[str, Array]
    data: Mapping[str, Array]
    """What stands in for data that a request does not bring along."""
    values: tuple[str, ...]
    """The nodes offered to those who do not say what they want."""
    dtype: str
    params_id: str


def check_name(name: str) -> str:
    """The name. Raises Refused unless a network may be published under it."""
    if not NAME.match(name):
        detail = f"{shown(name)} is no name: letters, digits, _ and -, not starting with -, at most 64"
        raise Refused([Fault("", "name_invalid", detail)])
    return name


def read_published(
    name: str, path: Path, compiled: Callable[[Any], Network], limits: wire.Limits = wire.DEFAULT
) -> Published:
    """The network in a file, under this name, everything in it checked.

    compiled: makes the network of a spec. Raises Refused, PluginError, and OSError when it cannot be read.
    """
    check_name(name)
    if not path.is_file():  # to open a pipe would wait for whoever writes into it
        raise Refused([Fault("", "tensor_body_invalid", "this is no file")])
    with path.open("rb") as file:
        try:
            mapped = mmap(file.fileno(), 0, access=ACCESS_READ)
        except ValueError:
            raise Refused([Fault("", "tensor_body_invalid", "the file is empty")]) from None
    limits = of_files(limits)
    saved = load(SavedSchema(), wire.decode(mapped, wire.SAFETENSORS, limits))
    dtype = float_dtype(saved) or "float64"
    network = compiled(saved["network"])
    network.check_names(saved["params"], dict.fromkeys(network.inputs) | saved["data"])
    dtypes = {name: slot.dtype if slot.dtype == "int64" else dtype for name, slot in network.inputs.items()}
    params = wire.read_tensors(saved["params"], dict.fromkeys(saved["params"], dtype), "/params", limits)
    data = wire.read_tensors(saved["data"], dtypes, "/data", limits)
    network.check_arrays(params, data)
    values = saved.get("values") or ends(network)
    network.check_values(values)
    params = {name: params[name] for name in network.parameters}
    return Published(
        name,
        network,
        MappingProxyType(params),
        MappingProxyType(data),
        tuple(values),
        dtype,
        params_id(params),
    )


def of_files(limits: wire.Limits) -> wire.Limits:
    """The bounds on files, where these are those on bodies."""
    return replace(limits, tensor_header_bytes=HEADER_BYTES)


def ends(network: Network) -> list[str]:
    """The nodes that no other node takes."""
    taken = {source for node in network.nodes.values() for source in node.inputs}
    return [name for name in network.nodes if name not in taken]


def params_id(params: Mapping[str, Array]) -> str:
    """SHA-256 of parameters, in hex: for each, by name, a line `name dtype shape`, then its numbers.

    These are in C order, little endian: equal parameters have equal ones, whatever file they come from.
    """
    digest = hashlib.sha256()
    for name in sorted(params):
        array = params[name]
        digest.update(f"{name} {array.dtype.name} {list(array.shape)}\n".encode())
        digest.update(array.astype(wire.DTYPES[array.dtype.name], order="C", copy=False).data)
    return digest.hexdigest()


class PublishedNetworks:
    """What a folder publishes, as it was when it was last read. Shared between threads."""

    def __init__(
        self,
        folder: str,
        compiled: Callable[[Any], Network],
        limits: wire.Limits,
        log: FilteringBoundLogger,
    ):
        self._folder = folder
        self._compiled = compiled
        self._limits = limits
        self._log = log
        self.served: Mapping[str, Published] = {}
        self.refused: Mapping[str, Fault] = {}
        self.reload()

    def reload(self) -> None:
        """Read the folder anew. What cannot be served is refused by its name, and the rest is served."""
        served, refused = dict[str, Published](), dict[str, Fault]()
        for path in sorted(Path(self._folder).glob(f"*{SUFFIX}")) if self._folder else ():
            name = os.fsencode(path.name.removesuffix(SUFFIX)).decode(errors="backslashreplace")
            try:
                served[name] = read_published(name, path, self._compiled, self._limits)
            except (Refused, PluginError) as error:
                refused[name] = error.faults[0]
            except OSError as error:
                refused[name] = Fault("", "internal", f"the file cannot be read: {error.strerror}")
        for name, fault in refused.items():
            self._log.error("not published", network=name, **fault._asdict())
        self.served, self.refused = served, refused

    def find(self, name: Any, pointer: str = "") -> Published:
        """The network of this name. Raises Refused where there is none, or its file cannot be served."""
        known = name if isinstance(name, str) else ""
        if known in self.served:
            return self.served[known]
        if known in self.refused:
            fault = self.refused[known]
            at = f" at {fault.pointer}" if fault.pointer else ""
            detail = f"the file of network '{known}' cannot be served: {fault.code}{at}: {fault.detail}"
        else:
            detail = f"no network is published as {shown(name)}{nearest(known, self.served)}"
        raise Refused([Fault(pointer, "network_not_found", detail)])

    def complete(self, document: Any, fields: Mapping[str, Field[Any]]) -> Published | None:
        """Fill in what a request may leave out that names its network, {"network": {"name": …}}.

        fields: those the request may have. Gives the network when its own parameters are filled in, as they
        are. Raises Refused when there is none of this name.
        """
        asked = document.get("network") if isinstance(document, dict) else None
        if not isinstance(asked, dict) or "name" not in asked or not {"inputs", "nodes"}.isdisjoint(asked):
            return None
        if more := asked.keys() - {"name"}:
            detail = 'a published network is named and nothing else, as in {"name": "digits"}'
            raise Refused([Fault(f"/network/{escape(key)}", "field_unknown", detail) for key in sorted(more)])
        published = self.find(asked["name"], "/network/name")
        document["network"] = published.network
        params, data = document.get("params", {}), document.get("data", {})
        dtype = document.setdefault("dtype", published.dtype)
        if dtype != published.dtype and "params" in fields and dtype in ("float32", "float64"):
            if isinstance(params, dict) and not published.params.keys() <= params.keys():
                detail = other_dtype(published.name, published.dtype, dtype)
                raise Refused([Fault("/dtype", "dtype_mismatch", detail)])
        if "params" in fields and isinstance(params, dict):
            document["params"] = {**published.params, **params}
        if "data" in fields and isinstance(data, dict):
            document["data"] = {**standing_in(published, bool(data)), **data}
        if "values" in fields and fields["values"].required:
            document.setdefault("values", list(published.values))
        return published if "params" in fields and params == {} else None


def standing_in(published: Published, batch: bool) -> dict[str, Array]:
    """The pinned data that stands in for what a request leaves out.

    batch: it brings a batch of its own, to which nothing but shared inputs can be added.
    """
    inputs = published.network.inputs
    return {name: array for name, array in published.data.items() if not batch or inputs[name].shared}
