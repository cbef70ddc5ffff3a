"""Constants in the client: given once with a model, then in its steps, runs, files and descendants."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltawire import Client, Model, Network, Refused, optim, wire

CONSTANTS = {"mean": np.array([0.5, -1.0], "float32"), "var": np.array([4.0, 0.25], "float32")}


def normed() -> Network:
    """A linear layer behind a batch norm, which learns differences of two numbers."""
    net = Network()
    x, y = net.input("x", (2,)), net.input("y", (1,))
    mean, var = (net.input(name, (2,), constant=True) for name in ("mean", "var"))
    scores = net.layer("linear", net.layer("batch_norm", x, mean, var), name="scores", units=1)
    net.loss = net.layer("squared_error", scores, y)
    return net


def examples(rows: int = 40) -> dict[str, Any]:
    x = np.random.default_rng(0).normal(size=(rows, 2)).astype("float32")
    return {"x": x, "y": x[:, :1] - x[:, 1:]}


def made(client: Client, name: str = "normed", **options: Any) -> Model:
    return client.create_model(
        normed(), name=name, optimizer=optim.adam(0.05), constants=CONSTANTS, **options
    )


def test_steps_and_runs_learn_without_them(client: Client) -> None:
    model = made(client, seed=3)
    twin = model.fork("twin")
    run = model.fit(
        examples(), epochs=3, batch_size=10, shuffle=False, validation=examples(7), progress=False
    )
    assert run.state == "finished" and model.version == 12
    data = examples()
    for _ in range(3):
        for start in range(0, 40, 10):
            twin.step({name: array[start : start + 10] for name, array in data.items()})
    assert model.checkpoint().params_id == twin.checkpoint().params_id
    values = model.forward({"x": data["x"]}, ["scores"])["scores"]
    sent = client.forward(normed(), model.params(), CONSTANTS | {"x": data["x"]}, ["scores"])["scores"]
    assert values.tobytes() == sent.tobytes()


def test_rows_of_a_dataset_are_computed_with_them(client: Client) -> None:
    model, dataset = made(client), client.upload_dataset("pairs", examples())
    rows, arrays = dataset.rows(0, 5), {name: array[:5] for name, array in examples().items()}
    assert model.gradients(rows).loss == model.gradients(arrays).loss
    assert model.step(rows).loss == model.at(0).gradients(arrays).loss


@pytest.mark.parametrize("media_type", wire.MEDIA_TYPES)
def test_a_checkpoint_has_them(tmp_path: Path, media_type: str) -> None:
    model = made(Client(data_dir=tmp_path / "data", media_type=media_type))
    constants = model.checkpoint().constants
    assert {name: array.tolist() for name, array in constants.items()} == {
        name: array.tolist() for name, array in CONSTANTS.items()
    }
    assert all(array.dtype == np.float32 for array in constants.values())


def test_models_are_made_of_a_model_and_of_a_published_one(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, data = made(client, seed=1), examples(4)
    loss = model.step(data).loss
    model.save(tmp_path / "normed.safetensors", version=0)
    monkeypatch.setenv("DELTAWIRE_NETWORKS_DIR", str(tmp_path))
    other = Client(data_dir=tmp_path / "other")
    published = other.create_model({"name": "normed"}, name="of_published", optimizer=optim.sgd(0.1))
    assert published.step(data).loss == loss
    again = client.create_model(model.at(0), name="of_model", optimizer=optim.sgd(0.1))
    assert again.step(data).loss == loss
    moved = {"mean": np.zeros(2, "float32")}
    changed = client.create_model(model.at(0), name="changed", optimizer=optim.sgd(0.1), constants=moved)
    expected = client.gradients(normed(), model.params(0), CONSTANTS | moved | data).loss
    assert changed.step(data).loss == expected
    network, params = Network.load(tmp_path / "normed.safetensors")
    assert network.spec()["inputs"]["mean"]["constant"] and params.keys() == model.params().keys()


def test_a_missing_one_is_named(client: Client) -> None:
    with pytest.raises(Refused, match=r"/data/mean: 'mean' is missing: the model keeps it"):
        client.create_model(normed(), name="normed", optimizer=optim.sgd(0.1))
