"""Published networks: kept by a service with their parameters, and asked for by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from deltawire.errors import Fault, Refused, other_dtype


class Published(Mapping[str, Any]):
    """A published network, as `Client.published` gives it: takes the place of a spec in every call.

    shown: what GET /v1/networks/NAME answers, all of it. dtype: of its parameters, and so of all
    floating-point arrays in a call; lists take it on.
    """

    def __init__(self, shown: Mapping[str, Any]):
        self.shown = shown
        self.name: str = shown["name"]
        self.dtype: str = shown["dtype"]
        self._request = {"name": self.name}

    def __repr__(self) -> str:
        return f"Published({self.name!r}, {self.dtype}, params_id={self.shown['params_id']!r})"

    def lends(self, params: Iterable[Any]) -> bool:
        """Whether a request that brings these parameters is computed with some of the published ones too."""
        return not {parameter["name"] for parameter in self.shown["parameters"]}.issubset(params)

    def check_dtype(self, dtype: str, params: Iterable[Any]) -> None:
        """Raises Refused when a request that brings these parameters cannot be computed in this dtype."""
        if dtype != self.dtype and self.lends(params):
            raise Refused([Fault("/dtype", "dtype_mismatch", other_dtype(self.name, self.dtype, dtype))])

    # What a request has in a spec's place.

    def __getitem__(self, key: str) -> Any:
        return self._request[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._request)

    def __len__(self) -> int:
        return len(self._request)
