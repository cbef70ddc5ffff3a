"""An import is held against its origin: what differs, and what cannot be planned, is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from deltawire import Client, Network, NotInstalled, Refused
from deltawire.importers import Imported, comparison
from deltawire.importers.comparison import compare

W = np.arange(6.0).reshape(2, 3) / 4


def imported(kind: str = "tanh", dtype: str = "float64", **config: Any) -> Imported:
    """tanh(W x)."""
    net = Network()
    net.layer("linear", net.input("x", (3,)), units=2, bias=False, name="h")
    net.layer(kind, net["h"], name="y", **config)
    return Imported(net, {"h.weight": W.astype(dtype)}, {}, ("y",))


class Tanh:
    """tanh(W x), by numpy; with a chosen mistake."""

    examples: Mapping[str, np.ndarray] = {}
    within: Mapping[str, float] = {"float32": 1e-5, "float64": 1e-9}

    def __init__(self, value: float = 1.0, weight: float = 1.0, x: float = 1.0, dtype: Any = np.float64):
        self.value, self.weight, self.x, self.dtype = value, weight, x, dtype
        self.sizes: list[int] = []

    def run(self, data: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        self.sizes.append(len(data["x"]))
        return [(self.value * np.tanh(data["x"] @ W.T)).astype(self.dtype)]

    def gradients(self, data: Mapping[str, np.ndarray], cotangents: list[np.ndarray]) -> dict[str, Any]:
        delta = cotangents[0] * (1 - np.tanh(data["x"] @ W.T) ** 2)
        return {"the weight": self.weight * delta.T @ data["x"], "x": self.x * delta @ W}

    def named(self, products: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {"the weight": products["h.weight"], "x": products["x"]}


@pytest.fixture(scope="module")
def client() -> Client:
    return Client()


def test_the_same_network_passes_on_batches_of_two_sizes(client: Client) -> None:
    origin = Tanh()
    compare(imported(), origin, client)
    assert set(origin.sizes) == {2, 3}
    compare(imported(), Tanh(), None)


@pytest.mark.parametrize(
    "origin, message",
    [
        (Tanh(value=1.00001), "the value of output 0 is another than the model's"),
        (Tanh(weight=1.001), "the weight is another than the model's"),
        (Tanh(x=-1), "x is another than the model's"),
        (Tanh(dtype=np.float32), r"output 0 is float32 \[2, 2\], and the network gives float64"),
    ],
)
def test_what_differs_is_refused_by_name(origin: Tanh, message: str, client: Client) -> None:
    with pytest.raises(Refused, match=message) as refused:
        compare(imported(), origin, client)
    assert refused.value.code == "not_expressible"


def test_what_the_service_cannot_plan_is_refused(client: Client) -> None:
    with pytest.raises(Refused, match="the service cannot plan the network: .*group_norm"):
        compare(imported("group_norm", groups=5), Tanh(), client)


def test_numbers_that_are_never_finite_are_not_taken_for_equal(client: Client) -> None:
    net = Network()
    net.layer("log", net.layer("negate", net.layer("multiply", *[net.input("x", ())] * 2)), name="y")

    class Log(Tanh):
        def run(self, data: Mapping[str, np.ndarray]) -> list[np.ndarray]:
            return [np.full(data["x"].shape, np.nan)]

        def gradients(self, data: Mapping[str, np.ndarray], cotangents: list[np.ndarray]) -> dict[str, Any]:
            return {}

        def named(self, products: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
            return {}

    origin = Log()
    origin.examples = {"x": np.ones((2,))}
    with pytest.raises(Refused, match="nothing could be compared"):
        compare(Imported(net, {}, {}, ("y",)), origin, client)


def test_without_the_service_the_mends_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Client:
        raise NotInstalled([])

    monkeypatch.setattr(comparison, "Client", missing)
    comparison._embedded.cache_clear()
    with pytest.raises(NotInstalled, match="check=False") as error:
        compare(imported(), Tanh(), None)
    assert "deltawire[service]" in str(error.value)
    comparison._embedded.cache_clear()
