"""Handles of inputs and nodes, which calls that build a network pass on, and what they are mistaken for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self

from deltawire.errors import Fault, Refused, wrong_argument
from deltawire.network.operators import Operators


class Builder(Protocol):
    """A network, as far as handles use it."""

    def layer(self, kind: str, /, *inputs: Any, **config: Any) -> Handle:
        """Add a node; see `Network.layer`.

        Args:
            kind: Of the layer.
            inputs: Handles or names.
            config: Its options.
        """

    def shape_of(self, place: Any) -> tuple[int, ...]:
        """Return the shape of one example of an input or a node."""


class Handle(Operators):
    """An input or a node of a network, to be passed to further layers. Its operators build layers.

    It equals its name, so that results, which are dicts by name, take it as a key.

    Attributes:
        network: The network it belongs to.
        name: Of the input or node.
    """

    def __init__(self, network: Builder, name: str):
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


def name_of(place: Any, network: Builder, pointer: str) -> str:
    """Return the name of an input or a node.

    Args:
        place: Its handle, or its name.
        network: The network that it must belong to.
        pointer: JSON pointer to the argument.

    Raises:
        Refused: It is neither, or a handle of another network.
    """
    if isinstance(place, str):
        return place
    if not isinstance(place, Handle):
        mend = ""
        if isinstance(place, list | tuple) and place and all(isinstance(each, Handle) for each in place):
            mend = f" (pass them one by one: {', '.join(each.name for each in place)})"
        elif pointer.startswith("/nodes"):
            mend = " (config goes by keyword, as units=4; an array goes into an input or a parameter)"
        raise wrong_argument(pointer, f"a handle or a name{mend}", place)
    if place.network is not network:
        raise Refused([Fault(pointer, "unknown_input", f"'{place.name}' is a handle of another network")])
    return place.name


def check_config(kind: str, inputs: Sequence[str], config: Mapping[str, Any], pointer: str) -> None:
    """Check that no input of a layer is among its options.

    Args:
        kind: Of the layer.
        inputs: Their names, as they were passed by position.
        config: The options, as they were passed by keyword.
        pointer: JSON pointer to the options.

    Raises:
        Refused: An option is a handle; the detail has the call with all inputs by position.
    """
    handles = {key: value.name for key, value in config.items() if isinstance(value, Handle)}
    if handles:
        call = f'layer("{kind}", {", ".join([*inputs, *handles.values()])})'
        detail = f"inputs go by position, as in {call}; tied_to= shares the parameters of a node"
        raise Refused([Fault(f"{pointer}/{key}", "field_invalid", detail) for key in handles])
