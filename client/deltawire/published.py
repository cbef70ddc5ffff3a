"""Published networks: kept by a service with their parameters, and asked for by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


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

    # What a request has in a spec's place.

    def __getitem__(self, key: str) -> Any:
        return self._request[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._request)

    def __len__(self) -> int:
        return len(self._request)
