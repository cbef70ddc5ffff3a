"""The numbers of one version: its parameters and its optimizer state, and where they lie in a slot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Self

import numpy as np

from deltawire.wire import Array
from deltawire_optimizers import Optimizer
from deltawire_service.engine import Network
from deltawire_service.store.slot_files import Layout

PARAMS, STATE = "params/", "state/"


class Numbers(NamedTuple):
    """The parameters by name, and the state named as the optimizers do: `hidden.weight.exp_avg`."""

    params: Mapping[str, Array]
    state: Mapping[str, Array]

    @classmethod
    def split(cls, arrays: Mapping[str, Array]) -> Self:
        """Return the numbers in the arrays of a slot or a snapshot."""
        params, state = (
            {name.removeprefix(place): array for name, array in arrays.items() if name.startswith(place)}
            for place in (PARAMS, STATE)
        )
        return cls(params, state)

    def joined(self) -> dict[str, Array]:
        """Return the arrays by the names that they have in a slot or a snapshot."""
        return {f"{PARAMS}{name}": array for name, array in self.params.items()} | {
            f"{STATE}{name}": array for name, array in self.state.items()
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
        for mine, others in ((self.params, other.params), (self.state, other.state)):
            for name, array in mine.items():
                np.copyto(others[name], array)


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
    return Layout(shapes, np.dtype(dtype))
