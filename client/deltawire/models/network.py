"""A model as a network: what calls take in a spec's place, to compute with parameters of the service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote


class ModelNetwork(Mapping[str, Any]):
    """A version of a model. As a mapping it is the spec of its network.

    Calls with `params={}` compute with the parameters of that version. Calls that pass parameters take the
    network alone.

    Attributes:
        name: The name of the model.
        pinned: The version; None for the newest at the time of each call.
        dtype: The dtype of its parameters, and so of all floating-point arrays in a call.
        spec: The spec of its network.
    """

    def __init__(self, name: str, dtype: str, spec: Mapping[str, Any], pinned: int | None = None):
        """Name a version of a model.

        Args:
            name: The name of the model.
            dtype: The dtype of its parameters.
            spec: The spec of its network.
            pinned: The version; None for the newest.
        """
        self.name = name
        self.pinned = pinned
        self.dtype = dtype
        self.spec = spec

    @property
    def path(self) -> str:
        """The path of the model at the service."""
        return model_path(self.name)

    @property
    def reference(self) -> dict[str, Any]:
        """The model in a document that takes a network: its name, and its version unless it is the newest."""
        return {"model": self.name} | self.selection

    @property
    def selection(self) -> dict[str, int]:
        """The field `version` of a document about the model; nothing for the newest."""
        return {} if self.pinned is None else {"version": self.pinned}

    def __getitem__(self, key: str) -> Any:
        return self.spec[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.spec)

    def __len__(self) -> int:
        return len(self.spec)


def model_path(name: str) -> str:
    """Return the path of a model at a service."""
    return f"/v1/models/{quote(name, safe='')}"
