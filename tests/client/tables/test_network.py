"""Networks of tables: they take numbers as they are, standardise them, and predict in the target's unit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.tables import described, description_of

from deltawire import Client, Network, Refused
from deltawire.tables.network import table_network
from deltawire.tables.table import Table

CLIENT = Client()
STREAM = np.random.default_rng(0)
NUMBERS = {
    "year": 2000 + STREAM.integers(0, 20, 50),
    "tiny": 1e-6 * STREAM.standard_normal(50),
    "image": 255 * STREAM.random((50, 2, 3)),
    "same": np.full(50, 7.0),
    "y": 1e5 + 300 * STREAM.standard_normal(50),
}


def values(net: Network, data: dict[str, Any], names: list[str], seed: int = 0) -> dict[str, Any]:
    return CLIENT.forward(net, CLIENT.init(net, seed), data, names)


def read(net: Network) -> Table:
    table = Table.read(net.spec())
    assert table is not None
    return table


def test_numbers_are_standardised_inside() -> None:
    net = table_network(description_of(NUMBERS), "y", hidden=(4,))
    got = values(net, read(net).inputs(NUMBERS), ["features"])["features"]
    plain = np.stack([NUMBERS[name] for name in ("year", "tiny", "same")], axis=1)
    spread = np.where(plain.std(axis=0) > 0, plain.std(axis=0), 1)
    image = (NUMBERS["image"] - NUMBERS["image"].mean()) / NUMBERS["image"].std()
    expected = np.concatenate([(plain - plain.mean(axis=0)) / spread, image.reshape(50, 6)], axis=1)
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)


def test_large_numbers_that_differ_little_keep_their_digits_in_float32() -> None:
    x = (1_000_000 + np.arange(16)).astype(np.float64)  # exact in float32
    net = table_network(description_of({"x": x, "y": x}), "y", hidden=())
    data = {"x": x[:, None].astype(np.float32)}
    got = CLIENT.forward(net, CLIENT.init(net, dtype="float32"), data, ["affine2"])["affine2"]
    np.testing.assert_allclose(got[:, 0], (x - x.mean()) / x.std(), rtol=1e-5)


def test_a_regression_predicts_in_the_unit_of_its_target_and_learns_without_it() -> None:
    net = table_network(description_of(NUMBERS), "y", hidden=())
    data = read(net).inputs(NUMBERS) | {"y": NUMBERS["y"]}
    got = values(net, data, ["prediction", "loss"])
    y = NUMBERS["y"]
    np.testing.assert_allclose(got["loss"], ((got["prediction"] - y) / y.std()) ** 2, rtol=1e-9)
    assert net.loss == "loss" and read(net).output == "prediction"


def test_a_classification_gives_probabilities_and_the_loss_of_the_class() -> None:
    table = described(
        size={}, colour={"dtype": "int64", "categories": ["blue", "green", "red"], "max": 2, "distinct": 3}
    )
    net = table_network(table, "colour", hidden=(5, 4), activation="tanh", l2=0.1)
    got = values(net, {"x": np.array([[0.5], [2.0]]), "y": [2, 0]}, ["probabilities", "loss"])
    np.testing.assert_allclose(got["loss"], -np.log(got["probabilities"][[0, 1], [2, 0]]))
    assert [node["kind"] for node in net.spec()["nodes"]].count("tanh") == 2
    assert net.spec()["regularization"]["l2"] == 0.1
    assert set(read(net).labels(got["probabilities"])) <= {"blue", "green", "red"}


def test_a_category_has_a_vector_of_its_own() -> None:
    table = described(
        **{"shop (town)": {"dtype": "int64", "categories": ["a", "b", "c", "d"], "max": 3}, "y": {}}
    )
    net = table_network(table, "y", hidden=(3,))
    assert read(net).columns == {"shop_town": "shop (town)", "y": "y"}
    params = CLIENT.init(net)
    assert params["embedding1.weight"].shape == (4, 2)
    got = CLIENT.forward(net, params, read(net).inputs({"shop (town)": ["c", "a"]}), ["embedding1"])
    assert np.array_equal(got["embedding1"], params["embedding1.weight"][[2, 0]])


def test_inputs_have_names_that_are_free() -> None:
    table = described(**{name: {"shape": [2]} for name in ("loss", "y", "2nd", "a b", "a-b", "é")}, target={})
    net = table_network(table, "target", hidden=())
    assert read(net).columns == {
        "loss_2": "loss", "y": "y", "_2nd": "2nd", "a_b": "a b", "a_b_2": "a-b", "column": "é",
        "y_2": "target",
    }  # fmt: skip
    CLIENT.plan(net)


@pytest.mark.parametrize("hidden", [(0,), (2.5,), (True,), "many", 3.5])
def test_sizes_are_whole_numbers(hidden: Any) -> None:
    with pytest.raises(Refused, match="units of each hidden layer"):
        table_network(described(x={}, y={}), "y", hidden=hidden)
