"""The numbers of one version: parameters, optimizer state, constants; and where they lie in a slot."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Self

import numpy as np

from deltawire.wire import Array
from deltawire_optimizers import Optimizer
from deltawire_service.engine import Network
from deltawire_service.store.slot_files import Layout

PARAMS, STATE, CONSTANTS = "params/", "state/", "constants/"


class Numbers(NamedTuple):
    """The numbers of a version by name.

    Attributes:
        params: the parameters.
        state: the state of the optimizer, named as the optimizers do: `hidden.weight.exp_avg`.
        constants: the inputs that the model keeps. No step changes them.
    """

    params: Mapping[str, Array]
    state: Mapping[str, Array]
    constants: Mapping[str, Array] = MappingProxyType({})

    @classmethod
    def split(cls, arrays: Mapping[str, Array]) -> Self:
        """Return the numbers in the arrays of a slot or a snapshot."""
        parts: dict[str, dict[str, Array]] = {PARAMS: {}, STATE: {}, CONSTANTS: {}}
        for name, array in arrays.items():
            place, slash, own = name.partition("/")
            if (part := parts.get(place + slash)) is not None:
                part[own] = array
        return cls(*parts.values())

    def joined(self) -> dict[str, Array]:
        """Return the arrays by the names that they have in a slot or a snapshot."""
        return {
            f"{place}{name}": array
            for place, part in zip((PARAMS, STATE, CONSTANTS), self, strict=True)
            for name, array in part.items()
        }

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for part in self for array in part.values())

    def begin_state(self, optimizer: Optimizer) -> None:
        """Fill the state with the numbers that it has before the first step."""
        for name, param in self.params.items():
            for key, array in optimizer.state(param.shape).items():
                self.state[f"{name}.{key}"].fill(array.start)

    def copy_to(self, other: Numbers) -> None:
        """Copy all numbers into the arrays of another version."""
        for mine, others in zip(self, other, strict=True):
            copy_arrays(mine, others)


def copy_arrays(arrays: Mapping[str, Array], to: Mapping[str, Array]) -> None:
    """Copy arrays into others of the same names."""
    for name, array in arrays.items():
        np.copyto(to[name], array)


def make_layout(network: Network, optimizer: Optimizer, dtype: str) -> Layout:
    """Return the layout of the slots of a model.

    Args:
        network: its network.
        optimizer: its optimizer, which declares the state of each parameter.
        dtype: the dtype of its numbers.
    """
    shapes = {f"{PARAMS}{name}": parameter.shape for name, parameter in network.parameters.items()}
    for name, parameter in network.parameters.items():
        for key, array in optimizer.state(parameter.shape).items():
            shapes[f"{STATE}{name}.{key}"] = array.shape
    integers = dict[str, np.dtype[Any]]()
    for name in network.constants:
        shapes[f"{CONSTANTS}{name}"] = network.inputs[name].shape
        if network.inputs[name].dtype == "int64":
            integers[f"{CONSTANTS}{name}"] = np.dtype(np.int64)
    return Layout(shapes, np.dtype(dtype), integers)
