"""A compiled graph: nodes in an order of computation, every shape and parameter known.

Data only, and immutable.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from deltawire_layers import Array, Layer, Parameter, Shape, Work
from deltawire_service.engine.limits import Limits
from deltawire_service.engine.noise.inputs import NoiseInput

Arrays = Mapping[str, Array]


@dataclass(frozen=True)
class InputSpec:
    """An input of the network."""

    shape: Shape
    """Of one example."""
    dtype: str
    """`float` or `int64`."""
    shared: bool
    """Sent without a batch axis, the same for every example."""
    ranges: tuple[range, ...] | None = None
    """The integers allowed, the least first, where the layers that take this input bound them."""
    bounds: tuple[float, float] | None = None
    """The least and the greatest number allowed, likewise."""
    constant: bool = False
    """Kept by a model, whose requests may leave it out; it is shared."""

    def array_shape(self, batch: int) -> Shape:
        """Return the shape of the array that holds this input for a batch."""
        return self.shape if self.shared else (batch, *self.shape)


@dataclass(frozen=True)
class Node:
    """A place in the network: a layer with its inputs and shapes resolved."""

    name: str
    kind: str
    place: int
    """Index in the spec's list of nodes."""
    layer: Layer
    inputs: tuple[str, ...]
    input_shapes: tuple[Shape, ...]
    shape: Shape
    parameters: Mapping[str, str]
    """The network's name of each of the layer's parameters: `weight` -> `hidden.weight`.

    A tied node has the names of the node it is tied to.
    """
    saved: int
    """Numbers per example that the layer saves for the backward pass, beside its inputs and its value."""
    transposed: frozenset[str] = frozenset()
    """The layer's parameters that are matrices of another node, transposed."""
    work: Work = Work()
    """The operations of a forward pass, beside those of reading inputs and writing the value."""

    def arrays(self, params: Arrays) -> dict[str, Array]:
        """Return the node's parameters, out of those of the network, as the layer takes them."""
        arrays = {local: params[name] for local, name in self.parameters.items()}
        for local in self.transposed:
            arrays[local] = arrays[local].T
        return arrays

    def as_owned(self, local: str, gradient: Array) -> Array:
        """Return the gradient of a layer's parameter in the layout that its owner has; batch axes lead."""
        return gradient.swapaxes(-1, -2) if local in self.transposed else gradient


@dataclass(frozen=True)
class Regularization:
    """(λ/2)·ΣW² over the named parameters."""

    l2: float = 0.0
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Graph:
    """A network as data: what the rest of the engine reads."""

    spec: Mapping[str, Any]
    inputs: Mapping[str, InputSpec]
    nodes: Mapping[str, Node]
    """In an order of computation."""
    parameters: Mapping[str, Parameter]
    loss: Mapping[str, float]
    """The loss nodes and their weights; empty when the spec names none and its last node is none."""
    regularization: Regularization
    limits: Limits
    id: str
    """SHA-256 of the canonical spec, in hex."""
    learned: tuple[str, ...]
    """The inputs that are parameters: not among `inputs`, and the same for every example."""
    noise: Mapping[str, NoiseInput]
    """The inputs that are drawn: not among `inputs` either."""

    @property
    def float_inputs(self) -> list[str]:
        """The inputs that hold floating-point numbers."""
        return [name for name, input_spec in self.inputs.items() if input_spec.dtype == "float"]

    @cached_property
    def batched_inputs(self) -> frozenset[str]:
        """The inputs that have a row for each example."""
        return frozenset(name for name, input_spec in self.inputs.items() if not input_spec.shared)

    @property
    def constants(self) -> list[str]:
        """The inputs whose numbers a model keeps."""
        return [name for name, input_spec in self.inputs.items() if input_spec.constant]

    def input_shape(self, name: str) -> Shape:
        """Return the shape of one example of an input, learned or not."""
        return self.inputs[name].shape if name in self.inputs else self.parameters[name].shape

    def outputs(self, data: Collection[str]) -> list[str]:
        """Return the nodes that no other takes, as far as data lead; where they lead to none, all of them.

        Without its labels a loss is not computed, and the scores that it takes are an output.

        Args:
            data: the inputs that data is sent for.
        """
        return self._ends({*data}) or self._ends({*self.inputs})

    def _ends(self, data: set[str]) -> list[str]:
        reached, taken = data.union(self.learned, self.noise), set[str]()
        for node in self.nodes.values():
            if reached.issuperset(node.inputs):
                reached.add(node.name)
                taken.update(node.inputs)
        return [name for name in self.nodes if name in reached - taken]

    def upstream(self, names: Iterable[str]) -> set[str]:
        """Return the named nodes, and all nodes and inputs that lead to them."""
        leading = set(names)
        for node in reversed(list(self.nodes.values())):
            if node.name in leading:
                leading.update(node.inputs)
        return leading
