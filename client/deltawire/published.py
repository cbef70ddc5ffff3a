"""Published networks: stored by a service with their parameters, and called by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from deltawire.connection import Connection
from deltawire.errors import Fault, Refused, other_dtype, wrong_argument


class Published(Mapping[str, Any]):
    """A published network, as `Client.published` returns it; goes wherever a spec goes.

    Attributes:
        description: The answer of GET /v1/networks/NAME.
        name: The name that it is published under.
        dtype: The dtype of its parameters, and so of all floating-point arrays in a call.
    """

    def __init__(self, description: Mapping[str, Any]):
        self.description = description
        self.name: str = description["name"]
        self.dtype: str = description["dtype"]
        self._request = {"name": self.name}

    def __repr__(self) -> str:
        return f"Published({self.name!r}, {self.dtype}, params_id={self.description['params_id']!r})"

    def uses_published_params(self, params: Iterable[Any]) -> bool:
        """Return whether a request with these parameters takes any of the published ones."""
        return not {parameter["name"] for parameter in self.description["parameters"]}.issubset(params)

    def check_dtype(self, dtype: str, params: Iterable[Any]) -> None:
        """Raise Refused where a request with these parameters cannot be computed in this dtype."""
        if dtype != self.dtype and self.uses_published_params(params):
            raise Refused([Fault("/dtype", "dtype_mismatch", other_dtype(self.name, self.dtype, dtype))])

    # As a mapping it is {"name": …}: what a request has in a spec's place.

    def __getitem__(self, key: str) -> Any:
        return self._request[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._request)

    def __len__(self) -> int:
        return len(self._request)


def find_published(connection: Connection, name: str) -> Published:
    """Look up a published network at a service.

    Raises:
        Refused: The service has no network of that name.
    """
    if not isinstance(name, str) or not name:
        raise wrong_argument("/name", "the name of a published network", name)
    return connection.get(f"/v1/networks/{quote(name, safe='')}", Published)
