"""Noise inputs in the SDK: built, sent with a seed by every call, trained with, shown and exported."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deltawire import Client, Network, Refused, optim

X = np.random.default_rng(0).standard_normal((6, 3))
Y = X @ [[1.0], [-2.0], [0.5]]


def network() -> Network:
    net = Network()
    x, y = net.input("x", (3,)), net.input("y", (1,))
    keep = net.noise("keep", (8,), dropout=0.5)
    hidden = net.layer("tanh", net.layer("linear", x, units=8, name="first"), name="hidden")
    out = net.layer("linear", hidden * keep, units=1, name="out")
    net.loss = net.layer("squared_error", out, y, name="loss")
    return net


NET = network()
DATA = {"x": X, "y": Y}


@pytest.fixture(scope="module")
def client() -> Client:
    return Client()


@pytest.fixture(scope="module")
def params(client: Client) -> dict[str, Any]:
    return client.init(NET, seed=1)


@pytest.mark.parametrize("distribution", [{"normal": 0.5}, {"uniform": 2.0}, {"dropout": 0.25}])
def test_the_spec_says_how_noise_is_drawn(distribution: dict[str, float]) -> None:
    net = Network()
    net.noise("u", (2, 3), **distribution)
    assert net.spec()["inputs"] == {"u": {"shape": [2, 3], "noise": distribution}}


def test_noise_is_drawn_in_one_way() -> None:
    for ways in ({}, {"normal": 1.0, "dropout": 0.5}):
        with pytest.raises(Refused, match="one of normal=, uniform= and dropout="):
            Network().noise("u", (2,), **ways)
    net = Network()
    net.noise("u", normal=1.0)
    with pytest.raises(Refused, match="already the name"):
        net.noise("u", normal=1.0)


def test_every_call_takes_a_seed(client: Client, params: dict[str, Any]) -> None:
    v = {"first.weight": np.ones((8, 3))}
    calls: dict[str, Any] = {
        "value_and_grad": (), "gradients": (), "forward": (), "per_example_gradients": (),
        "hessian_diagonal": (), "check": (), "vjp": ({"out": np.ones((6, 1))},), "jvp": (v, ["out"]),
        "jacobian": (["out"],),
        "hvp": (v,), "quadratic_form": (v,),
    }  # fmt: skip
    for name, arguments in calls.items():
        call = getattr(client, name)
        drawn = [repr(call(NET, params, DATA, *arguments, noise_seed=seed)) for seed in (1, 1, 2)]
        assert drawn[0] == drawn[1] != drawn[2], name
        assert repr(call(NET, params, DATA, *arguments)) not in drawn, name


def test_without_labels_the_scores_are_the_output(client: Client, params: dict[str, Any]) -> None:
    assert list(client.forward(NET, params, {"x": X})) == ["out"]


def test_fit_draws_other_noise_in_each_step(
    client: Client, params: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = list[int]()
    post = client.connection.post

    def spy(path: str, document: Any, *rest: Any, **more: Any) -> Any:
        seeds.append(document["noise_seed"])
        return post(path, document, *rest, **more)

    monkeypatch.setattr(client.connection, "post", spy)
    trained = list[dict[str, Any]]()
    for _ in range(2):
        weights = {name: array.copy() for name, array in params.items()}
        optim.fit(client, NET, weights, DATA, optim.sgd(0.05), epochs=9, batch_size=6)
        trained.append(weights)
    assert len(seeds) == 18 and seeds[:9] == seeds[9:] and len({*seeds}) == 9
    assert all((trained[0][name] == trained[1][name]).all() for name in trained[0])


def test_a_summary_and_a_picture_name_noise(client: Client) -> None:
    assert any(row[:2] == ("keep", "noise") for row in NET.summary(client).rows)
    assert "keep: input (8,) noise" in NET._repr_html_()


def test_a_model_learns_with_dropout(tmp_path: Any) -> None:
    client = Client(data_dir=tmp_path)
    model = client.create_model(NET, name="noisy", optimizer=optim.adam(0.01), seed=0)
    before = model.gradients(DATA, noise_seed=5).loss
    assert model.step(DATA, noise_seed=5).loss == before
    assert model.step(DATA).loss == model.at(1).gradients(DATA, noise_seed=2).loss
    assert [entry.get("noise_seed") for entry in model.ledger()] == [None, 5, 2]
    model.fit(DATA, epochs=2, batch_size=2, progress=False)
    seeds = [entry["noise_seed"] for entry in model.ledger(after=2)]
    assert len(set(seeds)) == 6
    values = model.forward({"x": X}, values=["hidden", "multiply1"])
    assert (values["hidden"] == values["multiply1"]).all()
