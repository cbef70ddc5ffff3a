"""Published networks: read from a folder, with their parameters, and found by name.

Each is a file NAME.safetensors that holds a saved request: a network and its parameters, perhaps data, and
the nodes whose values it offers. A name is looked up among those that were read; none ever becomes a path.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
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
from deltawire_plugins.shown import shown
from deltawire_service.engine import Network, PluginError
from deltawire_service.faults import escape, load, nearest
from deltawire_service.http.bodies import float_dtype
from deltawire_service.networks.files import FileVersion, read_file
from deltawire_service.networks.interfaces import Interface, default_data, ends
from deltawire_service.schemas.dataset_requests import names_dataset
from deltawire_service.schemas.request_fields import MOST_NAMES, SpecField, TensorsField

SUFFIX = ".safetensors"
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}\Z", re.ASCII)
HEADER_BYTES = 16 * 2**20
"""Length of a file's header, in bytes. It may be longer than a request's: the service's owner wrote it."""


class SavedSchema(Schema):
    """The parts of a request that a file may hold; callers bring the rest."""

    network = SpecField(required=True)
    params = TensorsField(load_default=dict)
    data = TensorsField(load_default=dict)
    values = config.Names(MOST_NAMES)


@dataclass(frozen=True, eq=False)
class Published(Interface):
    """A network with its parameters, read-only: views of a copy of the file, which all workers share."""

    params: Mapping[str, Array]
    params_id: str
    version: FileVersion
    """The version of the file that was read."""


def check_name(name: str) -> str:
    """Return the name.

    Raises:
        Refused: no network may be published under it.
    """
    if not NAME.match(name):
        detail = f"{shown(name)} is no name: letters, digits, _ and -, not starting with -, at most 64"
        raise Refused([Fault("", "name_invalid", detail)])
    return name


def read_published(
    name: str, path: Path, compiled: Callable[[Any], Network], limits: wire.Limits = wire.DEFAULT
) -> Published:
    """Read the network in a file, and check everything in it.

    Args:
        name: name to publish it under.
        path: path of the file.
        compiled: makes the network of a spec.
        limits: bounds on bodies; those on the header do not hold for files.

    Raises:
        Refused: something in the file is wrong.
        PluginError: a layer fails.
        OSError: the file cannot be read.
    """
    check_name(name)
    body, version = read_file(path)
    limits = of_files(limits)
    saved = load(SavedSchema(), wire.decode(body, wire.SAFETENSORS, limits))
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
        dtype,
        tuple(values),
        MappingProxyType(data),
        MappingProxyType(params),
        params_id(params),
        version,
    )


def of_files(limits: wire.Limits) -> wire.Limits:
    """Return the bounds on files, given those on bodies."""
    variables = {bound: name for bound, name in limits.variables.items() if bound != "tensor_header_bytes"}
    return replace(limits, tensor_header_bytes=HEADER_BYTES, variables=variables)


def params_id(params: Mapping[str, Array]) -> str:
    """Return the SHA-256 of parameters, in hex: equal parameters have equal ids, whatever their file.

    It is that of a line `name dtype shape` for each parameter, by name, and its numbers in C order, little
    endian.
    """
    digest = hashlib.sha256()
    for name in sorted(params):
        array = params[name]
        digest.update(f"{name} {array.dtype.name} {list(array.shape)}\n".encode())
        digest.update(array.astype(wire.DTYPES[array.dtype.name], order="C", copy=False).data)
    return digest.hexdigest()


class PublishedNetworks:
    """The networks that a folder publishes, as it was when it was last read. Shared between threads.

    Args:
        folder: path of the folder; empty for none.
        compiled: makes the network of a spec.
        limits: bounds on bodies.
        log: gets a line for every file that cannot be served.
    """

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
        """Read the folder anew. Files that cannot be served are refused by name; the others are served.

        A file that has not changed since is not read again: its copy need not be in memory twice.
        """
        served, refused = dict[str, Published](), dict[str, Fault]()
        for path in sorted(Path(self._folder).glob(f"*{SUFFIX}")) if self._folder else ():
            name = os.fsencode(path.name.removesuffix(SUFFIX)).decode(errors="backslashreplace")
            try:
                served[name] = self._read(name, path)
            except (Refused, PluginError) as error:
                refused[name] = error.faults[0]
            except OSError as error:
                refused[name] = Fault("", "internal", f"the file cannot be read: {error.strerror}")
            except MemoryError:
                refused[name] = Fault("", "internal", "the file cannot be read: there is not enough memory")
        for name, fault in refused.items():
            self._log.error("not published", network=name, **asdict(fault))
        self.served, self.refused = served, refused

    def _read(self, name: str, path: Path) -> Published:
        known = self.served.get(name)
        if known and path.is_file() and known.version == FileVersion.from_stat(path.stat()):
            return known
        return read_published(name, path, self._compiled, self._limits)

    def find(self, name: Any, pointer: str = "") -> Published:
        """Return the network of this name.

        Raises:
            Refused: there is none, at `pointer`, or its file cannot be served.
        """
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

    def resolve(self, document: Any, fields: Mapping[str, Field[Any]]) -> tuple[Any, str | None]:
        """Resolve the name of a network in a document, {"network": {"name": …}}.

        Args:
            document: the body of a request, as parsed. It is not changed.
            fields: the fields that the request may have.

        Returns:
            The document, with the published network in place of the name, and with what it leaves out of
            parameters, data, values and dtype; rows of a dataset stay as they are. Then the id of the
            published parameters, when it uses them as they are. Without a name: the document, and None.

        Raises:
            Refused: no network has this name, or it has another dtype.
        """
        reference = document.get("network") if isinstance(document, dict) else None
        if not isinstance(reference, dict) or "name" not in reference:
            return document, None
        if not {"inputs", "nodes"}.isdisjoint(reference):  # a spec
            return document, None
        if more := reference.keys() - {"name"}:
            detail = 'a published network is named and nothing else, as in {"name": "digits"}'
            raise Refused([Fault(f"/network/{escape(key)}", "field_unknown", detail) for key in sorted(more)])
        published = self.find(reference["name"], "/network/name")
        params, data = document.get("params", {}), document.get("data", {})
        resolved = {"dtype": published.dtype, **document, "network": published.network}
        if "values" in fields and fields["values"].allow_none and document.get("values") is None:
            resolved["values"] = list(published.values)
        if "data" in fields and isinstance(data, dict) and not names_dataset(data):
            resolved["data"] = {**default_data(published, bool(data)), **data}
        if "params" not in fields:
            return resolved, None
        if isinstance(params, dict):
            check_dtype(published, params, resolved["dtype"])
            resolved["params"] = {**published.params, **params}
        return resolved, published.params_id if params == {} else None


def check_dtype(published: Published, params: Mapping[str, Any], dtype: Any) -> None:
    """Check that a request can be computed in its dtype.

    Args:
        published: the network.
        params: the parameters that the request brings.
        dtype: the dtype of the request, as it came.

    Raises:
        Refused: published parameters would be needed in another dtype.
    """
    known = dtype in ("float32", "float64")  # the schema refuses any other
    if known and dtype != published.dtype and not published.params.keys() <= params.keys():
        detail = other_dtype(published.name, published.dtype, dtype)
        raise Refused([Fault("/dtype", "dtype_mismatch", detail)])
