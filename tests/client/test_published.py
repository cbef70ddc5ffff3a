"""Published networks from the client: a name in a spec's place, and the dtypes that it takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.posting import good
from support.publishing import as_arrays, publish

from deltawire import Client, Published, Refused, wire


@pytest.fixture(params=wire.MEDIA_TYPES)
def client(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Client]:
    publish(tmp_path, "single", "float32")
    publish(tmp_path, "double", data=good()["data"])
    monkeypatch.setenv("DELTAWIRE_NETWORKS_DIR", str(tmp_path))
    with Client(media_type=request.param) as client:
        yield client


def test_it_takes_the_place_of_a_spec(client: Client) -> None:
    params, data = as_arrays(good()["params"]), as_arrays(good()["data"])
    double = client.published("double")
    assert isinstance(double, Published) and double.shown["values"] == ["loss"]
    expected = client.gradients(good()["network"], params, data)
    for found in (client.gradients(double, {}, data), client.gradients(double, {}, {})):
        assert found.loss == expected.loss
        for name, gradient in expected.params.items():
            assert found.params[name].tobytes() == gradient.tobytes()
    cotangents = {"loss": np.ones(3)}
    ours = client.vjp(double, {}, data, cotangents)
    for name, product in client.vjp(good()["network"], params, data, cotangents).items():
        assert ours[name].tobytes() == product.tobytes()
    assert client.plan(double)["network_id"] == double.shown["network_id"]
    assert client.init(double, seed=3).keys() == params.keys()


def test_lists_take_on_its_dtype(client: Client) -> None:
    single = client.published("single")
    assert single.dtype == "float32"
    found = client.gradients(single, {}, {"x": [[1, 2]], "y": [2]}, wrt={"data": True})
    assert found.data["x"].dtype == np.float32
    with pytest.raises(Refused, match="expected float64, got float32"):
        client.gradients(single, {}, {"x": np.ones((1, 2)), "y": [2]})


def test_they_are_listed_and_missed_by_name(client: Client) -> None:
    assert [network["name"] for network in client.networks()] == ["double", "single"]
    for name in ("duoble", "../double", "a/b", "ü?#"):
        with pytest.raises(Refused) as refused:
            client.published(name)
        assert refused.value.code in ("network_not_found", "not_found")
