"""Build networks: inputs and layers by calls and operators, to and from the spec.

    net = Network()
    x, y, z = (net.input(name) for name in "xyz")
    net.loss = (x + y) * z

The builder checks names only. The service checks everything else, and its errors name the nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from numpy.typing import ArrayLike, DTypeLike

from deltawire.arguments.foreign_names import ForeignNames
from deltawire.arguments.kinds import boolean, list_of_names
from deltawire.arrays import dtype_name, plain_json
from deltawire.errors import wrong_argument
from deltawire.network import files
from deltawire.network.files import FilePath
from deltawire.network.handle import Handle, check_config, name_of
from deltawire.network.inputs import drawn_entry, input_entry
from deltawire.network.picture import svg
from deltawire.network.planner import EmbeddedPlanner, Planner
from deltawire.network.specs import duplicate_name, read_spec, running_name, unknown_place
from deltawire.network.summary import Summary
from deltawire.wire import Array


class Network(ForeignNames):
    """Builds a network; `spec()` returns the JSON that the service reads.

    A node without a name is called by its kind and a running number (`linear1`).

    Attributes:
        metadata: Your own notes, strings by name, which go with the spec and change nothing.
    """

    # A typing mistake, as `net.los = …`, must not make an attribute that nothing reads.
    __slots__ = ("__weakref__", "_inputs", "_loss", "_nodes", "_planner", "_regularization", "metadata")

    def __init__(self) -> None:
        self.metadata: dict[str, str] = {}
        self._inputs: dict[str, dict[str, Any]] = {}
        self._nodes: dict[str, dict[str, Any]] = {}
        self._loss: str | dict[str, float] | None = None
        self._regularization: dict[str, Any] | None = None
        self._planner: EmbeddedPlanner | None = None

    def input(
        self,
        name: str,
        shape: Iterable[int] = (),
        dtype: DTypeLike | None = None,
        shared: bool = False,
        constant: bool = False,
    ) -> Handle:
        """Add an input.

        Args:
            name: Of the input; data is sent under it.
            shape: Of one example, without the batch axis.
            dtype: "int64" for labels and indices; by default floating-point, like the parameters.
            shared: Sent once for all examples, without a batch axis.
            constant: Shared, and kept by a model, whose steps and runs need not bring it.

        Returns:
            A handle to pass to layers.

        Raises:
            Refused: The name is taken.
        """
        return self._add_input(name, input_entry(name, shape, dtype, shared, constant))

    def parameter(
        self,
        name: str,
        shape: Iterable[int] = (),
        *,
        normal: float | None = None,
        uniform: float | None = None,
        constant: float | None = None,
    ) -> Handle:
        """Add a learned input: an array of `params` that is the same for every example, as a position table.

        Args:
            name: Of the input, and of the parameter.
            shape: Of the array.
            normal: Standard deviation of its first numbers, which `init` draws around 0.
            uniform: Or their bound: they are drawn between −bound and bound.
            constant: Or the first number itself, the same at every place.

        Returns:
            A handle to pass to layers.

        Raises:
            Refused: The name is taken, or first numbers are not chosen in one way.
        """
        distributions = {"normal": normal, "uniform": uniform, "constant": constant}
        return self._add_input(name, drawn_entry(name, shape, "parameter", distributions))

    def noise(
        self,
        name: str,
        shape: Iterable[int] = (),
        *,
        normal: float | None = None,
        uniform: float | None = None,
        dropout: float | None = None,
    ) -> Handle:
        """Add an input whose numbers the service draws for each example, from the `noise_seed` of a call.

        A call without a seed draws nothing: all numbers are their mean, 1 for dropout and 0 otherwise.

        Args:
            name: Of the input.
            shape: Of one example.
            normal: Standard deviation of normal numbers around 0.
            uniform: Or the bound of numbers between −bound and bound.
            dropout: Or the share p of zeros among numbers that are 1 / (1 − p) otherwise, to multiply with.

        Returns:
            A handle to pass to layers.

        Raises:
            Refused: The name is taken, or the numbers are not drawn in one way.
        """
        distributions = {"normal": normal, "uniform": uniform, "dropout": dropout}
        return self._add_input(name, drawn_entry(name, shape, "noise", distributions))

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
        if names := [self._name(one, f"{pointer}/inputs/{place}") for place, one in enumerate(inputs)]:
            node["inputs"] = names
        if config:
            check_config(kind, names, config, f"{pointer}/config")
            node["config"] = plain_json(config, f"{pointer}/config")
        if tied_to is not None:
            node["tied_to"] = self._name(tied_to, f"{pointer}/tied_to")
        if boolean(f"{pointer}/transpose", transpose):
            node["transpose"] = True
        self._nodes[name] = node
        return Handle(self, name)

    if not TYPE_CHECKING:

        def __call__(self, *_: Any, **__: Any) -> None:
            """Refuse to be called as a module of torch or Keras is. Type checkers do not see this method."""
            call = "client.forward(net, params, data) computes its values"
            raise TypeError(f"a network holds no parameters, and is not called: {call}")

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
            self._loss = plain_json({self._name(node, "/loss"): size for node, size in loss.items()}, "/loss")
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
        globs = list_of_names("/regularization/parameters", parameters)
        self._regularization = plain_json({"l2": l2, "parameters": globs}, "/regularization")

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

    def _add_input(self, name: str, entry: dict[str, Any]) -> Handle:
        self._check_free(name, f"/inputs/{name}")
        self._inputs[name] = entry
        return Handle(self, name)

    def _check_free(self, name: str, pointer: str) -> None:
        if name in self._taken:
            raise duplicate_name(name, pointer)

    def _name(self, place: Handle | str, pointer: str) -> str:
        return name_of(place, self, pointer)
