"""Build networks: inputs and layers by calls and operators, to and from the spec.

    net = Network()
    x, y, z = (net.input(name) for name in "xyz")
    net.loss = (x + y) * z

The builder checks names only. The service checks everything else, and its errors name the nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from numpy.typing import ArrayLike, DTypeLike

from deltawire.arrays import dtype_name, plain_json
from deltawire.errors import Fault, Refused, wrong_argument
from deltawire.network import files
from deltawire.network.files import FilePath
from deltawire.network.operators import Operators
from deltawire.network.picture import svg
from deltawire.network.planner import EmbeddedPlanner, Planner
from deltawire.network.specs import duplicate_name, read_spec, running_name, unknown_place
from deltawire.network.summary import Summary
from deltawire.wire import Array


class Handle(Operators):
    """An input or a node of a network, to be passed to further layers. Its operators build layers.

    It equals its name, so that results, which are dicts by name, take it as a key.

    Attributes:
        network: The network it belongs to.
        name: Of the input or node.
    """

    def __init__(self, network: Network, name: str):
        self.network = network
        self.name = name

    def __repr__(self) -> str:
        return f"Handle({self.name!r})"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Handle):
            return self.network is other.network and self.name == other.name
        return self.name == other

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one example here, without the batch axis; raises as `Network.shape_of` does."""
        return self.network.shape_of(self)

    def apply(self, kind: str, /, *others: Self, **config: Any) -> Self:
        """Add a layer that takes this handle; see `Network.layer`.

        Args:
            kind: Of the layer.
            others: Its further inputs.
            config: Its options.
        """
        return type(self)(self.network, self.network.layer(kind, self, *others, **config).name)


class Network:
    """Builds a network; `spec()` returns the JSON that the service reads.

    A node without a name is called by its kind and a running number (`linear1`).

    Attributes:
        metadata: Your own notes, strings by name, which go with the spec and change nothing.
    """

    def __init__(self) -> None:
        self.metadata: dict[str, str] = {}
        self._inputs: dict[str, dict[str, Any]] = {}
        self._nodes: dict[str, dict[str, Any]] = {}
        self._loss: str | dict[str, float] | None = None
        self._regularization: dict[str, Any] | None = None
        self._planner: EmbeddedPlanner | None = None

    def input(
        self, name: str, shape: Iterable[int] = (), dtype: DTypeLike | None = None, shared: bool = False
    ) -> Handle:
        """Add an input.

        Args:
            name: Of the input; data is sent under it.
            shape: Of one example, without the batch axis.
            dtype: "int64" for labels and indices; by default floating-point, like the parameters.
            shared: Sent once for all examples, without a batch axis.

        Returns:
            A handle to pass to layers.

        Raises:
            Refused: The name is taken.
        """
        self._check_free(name, f"/inputs/{name}")
        if not isinstance(shape, Iterable):
            raise wrong_argument(f"/inputs/{name}/shape", f"sizes of axes, as ({shape!r},)", shape)
        entry: dict[str, Any] = {"shape": plain_json(list(shape), f"/inputs/{name}/shape")}
        if dtype is not None:
            entry["dtype"] = dtype_name(dtype, f"/inputs/{name}/dtype")
        if shared:
            entry["shared"] = True
        self._inputs[name] = entry
        return Handle(self, name)

    def parameter(self, name: str, shape: Iterable[int] = (), **first: float) -> Handle:
        """Add a learned input: an array of `params` that is the same for every example, as a position table.

        Args:
            name: Of the input, and of the parameter.
            shape: Of the array.
            first: How `init` draws its first numbers: `normal`, the standard deviation; `uniform`, the bound;
                or `constant`, the number itself.

        Returns:
            A handle to pass to layers.

        Raises:
            Refused: The name is taken.
        """
        handle = self.input(name, shape)
        self._inputs[name]["parameter"] = plain_json(first, f"/inputs/{name}/parameter")
        return handle

    def layer(
        self,
        kind: str,
        /,
        *inputs: Handle | str,
        name: str | None = None,
        tied_to: Handle | str | None = None,
        transpose: bool = False,
        **config: Any,
    ) -> Handle:
        """Add a node.

        Args:
            kind: Of the layer, as in `linear`; `Client.layers` lists them.
            inputs: Handles or names; by default the node before it.
            name: Of the node; by default the kind and a running number.
            tied_to: A node whose parameters this one shares.
            transpose: Share the matrices alone, transposed, as a tied autoencoder's decoder does.
            config: The layer's own options.

        Returns:
            A handle to pass to further layers.

        Raises:
            Refused: The name is taken, or an input is not a handle of this network.
        """
        pointer = f"/nodes/{len(self._nodes)}"
        if not isinstance(kind, str):
            raise wrong_argument(f"{pointer}/kind", 'the kind of a layer first, as in layer("relu", x)', kind)
        if name is None:
            name = running_name(kind.rpartition(".")[2], self._taken)  # nn.Linear becomes Linear1
        self._check_free(name, f"{pointer}/name")
        node: dict[str, Any] = {"name": name, "kind": kind}
        if inputs:
            node["inputs"] = [
                self._name(one, f"{pointer}/inputs/{place}") for place, one in enumerate(inputs)
            ]
        if config:
            node["config"] = plain_json(config, f"{pointer}/config")
        if tied_to is not None:
            node["tied_to"] = self._name(tied_to, f"{pointer}/tied_to")
        if transpose:
            node["transpose"] = True
        self._nodes[name] = node
        return Handle(self, name)

    def __repr__(self) -> str:
        return f"Network({', '.join(self._inputs)} -> {', '.join(self._nodes)})"

    def _repr_html_(self) -> str:
        """Return a picture of the graph, which notebooks show; it takes no service."""
        return svg(self.spec())

    @property
    def loss(self) -> str | dict[str, float] | None:
        """The node of shape () to differentiate, or such nodes and their weights; None for the last node.

        Set it to a handle or a name, or to a mapping of these to weights.
        """
        return self._loss

    @loss.setter
    def loss(self, loss: Handle | str | Mapping[Any, float]) -> None:
        if isinstance(loss, Mapping):
            weights = {self._name(node, "/loss"): weight for node, weight in loss.items()}
            self._loss = plain_json(weights, "/loss")
        else:
            self._loss = self._name(loss, "/loss")

    def summary(
        self, client: Planner | None = None, batch: int = 1, *, dtype: DTypeLike = "float64"
    ) -> Summary:
        """Return a table of nodes, kinds, shapes, parameters and memory, to be printed.

        Args:
            client: Whose service works out the shapes; by default a service in this process.
            batch: The number of examples that the memory is for.
            dtype: "float64" or "float32".

        Raises:
            Refused: The network is wrong.
            NotInstalled: Without a client the service is needed: `pip install 'deltawire[service]'`.
        """
        name, spec = dtype_name(dtype), self.spec()
        return Summary(spec, (client or self._embedded()).plan(spec, batch, dtype=name), batch, name)

    def save(self, path: FilePath, params: Mapping[str, ArrayLike] | None = None) -> None:
        """Write the network and its parameters to a file, which `load` and every `deltawire` command read.

        Args:
            path: Of the file, conventionally `….safetensors`. A file of this name is replaced in one step.
            params: By name, all of one dtype; by default none.

        Raises:
            Refused: A parameter belongs to no node, or cannot be written without changing its numbers.
            OSError: The file cannot be written.
        """
        files.save(path, self.spec(), {} if params is None else params)

    @classmethod
    def load(cls, path: FilePath) -> tuple[Self, dict[str, Array]]:
        """Read a network and its parameters from a file: saved, or a request or a spec in JSON.

        Raises:
            Refused: The file holds no network.
            OSError: The file cannot be read.
        """
        spec, params = files.read_network(path)
        return cls.from_spec(spec), params

    def publish(
        self,
        client: Planner,
        name: str,
        params: Mapping[str, ArrayLike],
        into: FilePath | None = None,
    ) -> Path:
        """Write the network and its parameters for a service to serve by name, once it reads its folder.

        A running service reads its folder again on SIGHUP; `Client()` reads it when it is made.

        Args:
            client: Whose service checks the network and the parameters, before anything is written.
            name: To serve it by: at most 64 letters, digits, `_` and `-`.
            params: By name, all of them, of one dtype.
            into: The folder that the service serves, created if missing; by default that of the setting
                DELTAWIRE_NETWORKS_DIR, or the current one.

        Returns:
            The path of the file.

        Raises:
            Refused: The name, the network or a parameter is wrong.
            OSError: The file cannot be written.
        """
        return files.publish(client, name, self.spec(), params, into)

    def shape_of(self, place: Handle | str) -> tuple[int, ...]:
        """Return the shape of an input or a node, without the batch axis; `Handle.shape` is the same.

        The shape of an input is declared. For a node, a service in this process works it out.

        Raises:
            KeyError: There is no such input or node.
            Refused: The network is wrong before this place.
            NotInstalled: The service is not installed: `pip install 'deltawire[service]'`.
        """
        name = self[self._name(place, "/nodes")].name
        if name in self._inputs:
            return tuple(self._inputs[name]["shape"])
        return self._embedded().shape_of(self.spec(), name)

    def _embedded(self) -> EmbeddedPlanner:
        if self._planner is None:
            self._planner = EmbeddedPlanner()
        return self._planner

    def regularize(self, l2: float, parameters: Iterable[str] = ("*.weight",)) -> None:
        """Add (l2/2)·ΣW² over the parameters these globs name to the loss, and l2·W to their gradients."""
        self._regularization = plain_json({"l2": l2, "parameters": list(parameters)}, "/regularization")

    def __getitem__(self, name: str) -> Handle:
        """Return the handle of an input or a node, by name. Raises KeyError when there is none."""
        if name not in self._taken:
            raise unknown_place(name, self._taken)
        return Handle(self, name)

    def spec(self) -> dict[str, Any]:
        """Return the spec: plain JSON values, a copy that later changes do not reach."""
        spec: dict[str, Any] = {"version": 1, "inputs": self._inputs, "nodes": list(self._nodes.values())}
        if self._loss is not None:
            spec["loss"] = self._loss
        if self._regularization is not None:
            spec["regularization"] = self._regularization
        if self.metadata:
            spec["metadata"] = self.metadata
        copy: dict[str, Any] = plain_json(spec, "")
        return copy

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Self:
        """Read a spec, to build it further. Nodes without a name get the one the service would give.

        Raises:
            Refused: The spec is malformed, or two inputs or nodes have the same name.
        """
        return cls()._take(read_spec(spec))

    def _take(self, spec: dict[str, Any]) -> Self:
        self._inputs = spec["inputs"]
        self._nodes = {node["name"]: node for node in spec["nodes"]}
        self._loss = spec.get("loss")
        self._regularization = spec.get("regularization")
        self.metadata = spec.get("metadata", {})
        return self

    @property
    def _taken(self) -> set[str]:
        return self._inputs.keys() | self._nodes.keys()

    def _check_free(self, name: str, pointer: str) -> None:
        if name in self._taken:
            raise duplicate_name(name, pointer)

    def _name(self, place: Handle | str, pointer: str) -> str:
        if isinstance(place, str):
            return place
        if not isinstance(place, Handle):
            others = ""
            if pointer.startswith("/nodes"):
                others = " (config goes by keyword, as units=4; an array goes into an input or a parameter)"
            raise wrong_argument(pointer, f"a handle or a name{others}", place)
        if place.network is not self:
            raise Refused([Fault(pointer, "unknown_input", f"'{place.name}' is a handle of another network")])
        return place.name
