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
    assert isinstance(double, Published) and double.description["values"] == ["loss"]
    expected = client.gradients(good()["network"], params, data)
    for found in (client.gradients(double, {}, data), client.gradients(double, {}, {})):
        assert found.loss == expected.loss
        for name, gradient in expected.params.items():
            assert found.params[name].tobytes() == gradient.tobytes()
    cotangents = {"loss": np.ones(3)}
    ours = client.vjp(double, {}, data, cotangents)
    for name, product in client.vjp(good()["network"], params, data, cotangents).items():
        assert ours[name].tobytes() == product.tobytes()
    assert client.plan(double)["network_id"] == double.description["network_id"]
    assert client.init(double, seed=3).keys() == params.keys()


def test_lists_take_on_its_dtype(client: Client) -> None:
    single = client.published("single")
    assert single.dtype == "float32"
    found = client.gradients(single, {}, {"x": [[1, 2]], "y": [2]}, wrt={"data": True})
    assert found.data["x"].dtype == np.float32
    with pytest.raises(Refused, match="expected float32, as network 'single' is, got float64") as refused:
        client.gradients(single, {}, {"x": np.ones((1, 2)), "y": [2]})
    assert (refused.value.code, refused.value.pointer) == ("dtype_mismatch", "/data/x")
    double = as_arrays(good()["params"])  # all of them: none that is published has a say
    assert client.gradients(single, double, {"x": np.ones((1, 2)), "y": [2]}).params.keys() == double.keys()


def test_first_parameters_have_its_dtype_unless_told(client: Client) -> None:
    single = client.published("single")
    for dtype, expected in ((None, "float32"), ("float64", "float64")):
        params = client.init(single, dtype=dtype)
        assert {array.dtype.name for array in params.values()} == {expected}
    assert client.plan(single)["given_bytes"] < client.plan(single, dtype=np.float64)["given_bytes"]


def test_its_name_alone_stands_for_it_too(client: Client) -> None:
    data = {"x": np.ones((1, 2), "f4"), "y": np.array([2])}
    named = client.gradients({"name": "single"}, {}, data)
    found = client.gradients(client.published("single"), {}, data)
    assert (named.loss, named.params_id) == (found.loss, found.params_id)
    assert client.init({"name": "single"})["scores.bias"].dtype == "float32"
    for name in ("singel", "", "a/b", 7):
        with pytest.raises(Refused) as refused:
            client.gradients({"name": name}, {}, data)
        assert (refused.value.code, refused.value.pointer) == ("network_not_found", "/network/name")


def test_an_answer_tells_whose_parameters_it_comes_of(client: Client) -> None:
    double = client.published("double")
    assert client.gradients(double, {}, {}).params_id == double.description["params_id"]
    assert client.gradients(double, {"scores.bias": np.zeros(3)}, {}).params_id is None
    assert repr(double) == f"Published('double', float64, params_id='{double.description['params_id']}')"


def test_the_values_offered_need_not_be_named(client: Client) -> None:
    double = client.published("double")
    assert client.forward(double, {}, {}).keys() == {"loss"}
    assert client.forward(good()["network"], good()["params"], good()["data"]).keys() == {"loss"}


def test_they_are_listed_and_missed_by_name(client: Client) -> None:
    assert [network["name"] for network in client.networks()] == ["double", "single"]
    for name in ("duoble", "../double", "a/b", "ü?#"):
        with pytest.raises(Refused) as refused:
            client.published(name)
        assert refused.value.code in ("network_not_found", "not_found")
