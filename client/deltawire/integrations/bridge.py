"""A served network as other frameworks need to know it before their first call: names and shapes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Self

from deltawire import computations, derivatives
from deltawire.arguments.names import name_list
from deltawire.client import Client
from deltawire.errors import Fault, Refused
from deltawire.models.model import Model
from deltawire.models.version import ModelVersion
from deltawire.network import Network
from deltawire.published import Published
from deltawire.request_builder import Arrays, Caller, Spec, Wrt, inputs_of
from deltawire.wire import Array


@contextmanager
def without_options() -> Iterator[None]:
    """Take the options of the client out of the errors inside: a function of a framework has none."""
    try:
        yield
    except Refused as refused:
        raise refused.with_mends({"non_finite": ""}) from refused.__cause__


@dataclass(frozen=True)
class ServedNetwork:
    """A network at a service.

    Attributes:
        client: Calls the service.
        network: Goes with every call in a spec's place.
        inputs: Names in the order of the spec.
        outputs: Nodes whose values are returned.
        shapes: Of one example, by node.
        shared: The inputs without a batch axis.
        has_noise: Whether some inputs are noise.
        noise_seed: Where the noise of every call starts from; None: noise inputs have their means.
    """

    client: Caller
    network: Mapping[str, Any]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    shapes: Mapping[str, tuple[int, ...]]
    shared: frozenset[str]
    has_noise: bool = False
    noise_seed: int | None = None

    def __deepcopy__(self, memo: object) -> Self:
        return self  # nothing here changes: a copy of a module may ask the same service

    @property
    def has_parameters(self) -> bool:
        """True where the service keeps parameters of the network."""
        return isinstance(self.network, Published | ModelVersion)

    def pinned(self) -> Self:
        """Return the network at the version that a model has now, for passes that belong together."""
        if not isinstance(self.network, Model):
            return self
        return replace(self, network=self.network.at(self.network.version))

    @without_options()
    def values(self, params: Arrays, data: Arrays) -> dict[str, Array]:
        """Return the values of the outputs by name, (batch, *shape).

        Args:
            params: Parameters by name; none where the service has them.
            data: Inputs by name, (batch, *shape).
        """
        seed = self.noise_seed
        return computations.forward(self.client, self.network, params, data, self.outputs, noise_seed=seed)

    @without_options()
    def products(self, params: Arrays, data: Arrays, cotangents: Arrays, wrt: Wrt) -> dict[str, Array]:
        """Return vector-Jacobian products by name.

        Args:
            params: As for `values`.
            data: As for `values`.
            cotangents: By output, (batch, *shape).
            wrt: What to differentiate with respect to, as for `Client.vjp`.
        """
        return derivatives.vjp(
            self.client, self.network, params, data, cotangents, wrt=wrt, noise_seed=self.noise_seed
        )


def serve_network(network: Spec, outputs: Iterable[str], client: Client | None) -> ServedNetwork:
    """Have the service plan a network, and return what it says.

    Args:
        network: A network, a spec, a published network, or a model.
        outputs: Nodes whose values are returned; by default the last node of the spec.
        client: Of the service; by default that of the model, or one in this process.

    Raises:
        Refused: The network is wrong, or has no such node.
    """
    caller: Caller = client or (network.client if isinstance(network, ModelVersion) else Client())
    resolved = caller.requests.resolve(network)
    shapes = {node["name"]: tuple(node["shape"]) for node in computations.plan(caller, resolved)["nodes"]}
    described = resolved.description["network"] if isinstance(resolved, Published) else resolved
    spec = Network.from_spec(described).spec()
    chosen = tuple(name_list("outputs", outputs)) or (spec["nodes"][-1]["name"],)
    if unknown := [name for name in chosen if name not in shapes]:
        detail = f"no node is named '{unknown[0]}'; known: {', '.join(shapes)}"
        raise Refused([Fault("/outputs", "unknown_name", detail)])
    inputs = inputs_of(spec)
    shared = frozenset(name for name, entry in inputs.items() if entry.get("shared"))
    sent = resolved if isinstance(resolved, Published | ModelVersion) else spec
    noise = any("noise" in entry for entry in spec["inputs"].values())
    return ServedNetwork(caller, sent, tuple(inputs), chosen, shapes, shared, noise)
