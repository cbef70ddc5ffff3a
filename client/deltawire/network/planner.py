"""The service that a network asks for shapes and memory: any client's, or one in this process.

A client machine knows no layers, so it cannot work shapes out by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from numpy.typing import DTypeLike

from deltawire import wire
from deltawire.connection import Connection
from deltawire.network.graph import upstream
from deltawire.retries import Retries
from deltawire.transport import EmbeddedTransport


class Planner(Protocol):
    """Anything with a method `plan`, as `Client` has one."""

    def plan(self, network: Any, batch: int = 1, *, dtype: DTypeLike | None = None) -> dict[str, Any]:
        """Work out shapes, parameters, memory and cost; see `Client.plan`.

        Args:
            network: A network or a spec.
            batch: The number of examples.
            dtype: Of the numbers.
        """


class EmbeddedPlanner:
    """Asks a service of its own in this process."""

    def __init__(self) -> None:
        """Start the service.

        Raises:
            NotInstalled: The service is not installed on this machine.
        """
        self._connection = Connection(EmbeddedTransport(), Retries(attempts=1), wire.JSON)

    def plan(self, network: Any, batch: int = 1, *, dtype: DTypeLike | None = None) -> dict[str, Any]:
        """Work out shapes, parameters, memory and cost; see `Client.plan`.

        Args:
            network: A spec.
            batch: The number of examples.
            dtype: A name of a dtype; by default float64.

        Raises:
            Refused: The network is wrong.
        """
        document = {
            "network": network, "batch": batch, "dtype": dtype or "float64", "media_type": wire.SAFETENSORS,
        }  # fmt: skip
        return self._connection.post("/v1/plan", document, dict)

    def shape_of(self, spec: Mapping[str, Any], name: str) -> tuple[int, ...]:
        """Return the shape of one example of a node. Only what leads to the node must be right.

        Args:
            spec: Of the network.
            name: Of the node.

        Raises:
            Refused: The network is wrong before the node.
        """
        nodes = self.plan(upstream(spec, name))["nodes"]
        return next(tuple(node["shape"]) for node in nodes if node["name"] == name)
