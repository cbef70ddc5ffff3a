"""The parameters of a network in the dtype of a request."""

from __future__ import annotations

from collections.abc import Mapping

from deltawire.wire import Array
from deltawire_service.engine import Caches
from deltawire_service.protocols.served import Opened


def cast(arrays: Mapping[str, Array], dtype: str) -> dict[str, Array]:
    """Return arrays in the dtype of a request; integers stay."""
    return {name: a.astype(dtype, copy=False) if a.dtype.kind == "f" else a for name, a in arrays.items()}


def cast_parameters(opened: Opened, dtype: str, caches: Caches) -> Mapping[str, Array]:
    """Return the parameters of a network in the dtype of a request.

    Args:
        opened: the network.
        dtype: the dtype of the request.
        caches: keeps them where they have an id: they never change then. Those of a model do.
    """
    if opened.params_id is None or dtype == opened.interface.dtype:
        return cast(opened.params, dtype)
    key = cast_parameters, opened.params_id, dtype
    known: Mapping[str, Array] | None = caches.find(key)
    if known is None:
        known = cast(opened.params, dtype)
        caches.keep(key, known)
    return known
