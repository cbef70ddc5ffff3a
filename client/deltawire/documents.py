"""What requests have in common: the spec, arrays of one dtype, names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from numpy.typing import ArrayLike

from deltawire.arrays import common_dtype, input_dtype, to_tensor
from deltawire.network import Network
from deltawire.published import Published

Wrt = Mapping[str, bool | Iterable[str]]


def spec_of(network: Network | Mapping[str, Any]) -> Mapping[str, Any]:
    """The spec of a network, however it is written."""
    return network.spec() if isinstance(network, Network) else network


def dtype_of(network: Network | Mapping[str, Any], arrays: Iterable[Any]) -> str:
    """The one dtype of floating-point arrays; where there are none, a published network's, or float64."""
    return common_dtype(arrays, network.dtype if isinstance(network, Published) else "float64")


def on_batch(
    network: Network | Mapping[str, Any],
    params: Mapping[str, ArrayLike],
    data: Mapping[str, ArrayLike],
    dtype: str | None = None,
) -> dict[str, Any]:
    """What every request for numbers has: the spec, and arrays of one dtype, by default their own."""
    spec = spec_of(network)
    dtype = dtype or dtype_of(network, [*params.values(), *data.values()])
    known = spec.shown if isinstance(spec, Published) else spec
    return {
        "network": spec,
        "params": {name: to_tensor(value, dtype, f"/params/{name}") for name, value in params.items()},
        "data": {
            name: to_tensor(value, input_dtype(known, name, dtype), f"/data/{name}")
            for name, value in data.items()
        },
        "dtype": dtype,
    }


def asked_wrt(wrt: Wrt | None) -> dict[str, Any]:
    """What to differentiate by, its names as lists."""
    return {place: listed(asked) for place, asked in (wrt or {}).items()}


def listed(names: bool | Iterable[str]) -> Any:
    """Names as a list. A single string stays one: the service says that it wants a list, not its letters."""
    return names if isinstance(names, (bool, str)) else list(names)
