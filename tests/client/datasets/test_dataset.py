"""A dataset is described, read, taken as a batch by every call, and deleted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from client.datasets.conftest import COLUMNS

from deltawire import Client, Dataset, Network, Refused, optim
from deltawire.datasets import dataset as module
from deltawire.tables.table import Table


def regression() -> Network:
    net = Network()
    x = net.input("x", (2,))
    value = net.layer("sum", net.layer("linear", x, units=1, name="hidden"), name="value")
    net.loss = net.layer("squared_error", value, net.input("price"), name="loss")
    return net


SOURCES = {"x": ["age", "size"]}
BATCH = {"x": np.stack([COLUMNS["age"], COLUMNS["size"]], axis=1), "price": COLUMNS["price"]}


def test_it_is_described(numbers: Dataset) -> None:
    description = numbers.describe()
    assert description["rows"] == 10
    assert [column["name"] for column in description["columns"]] == list(numbers.read())


@pytest.mark.parametrize("numbers_at_once", [1, 20, 2**20])
def test_its_numbers_are_read(
    numbers: Dataset, monkeypatch: pytest.MonkeyPatch, numbers_at_once: int
) -> None:
    monkeypatch.setattr(module, "READ_NUMBERS", numbers_at_once)
    for rows, chosen in (({}, slice(None)), ({"start": 2, "stop": 7}, slice(2, 7)),
                         ({"indices": [3, 1, 3]}, [3, 1, 3])):  # fmt: skip
        read = numbers.read(**rows)
        for name, column in read.items():
            assert column.dtype == COLUMNS[name].dtype and np.array_equal(column, COLUMNS[name][chosen])


def test_texts_are_read_as_texts(client: Client) -> None:
    texts = client.upload_dataset("texts", {"shop": COLUMNS["shop"], "price": COLUMNS["price"]})
    read = texts.read(1, 3, columns=["shop"])
    assert {name: column.tolist() for name, column in read.items()} == {"shop": ["south", "north"]}


def test_another_column_is_refused(numbers: Dataset) -> None:
    with pytest.raises(Refused, match="columns of"):
        numbers.read(columns=["colour"])


def test_every_call_takes_rows_in_place_of_a_batch(client: Client, numbers: Dataset) -> None:
    net = regression()
    params = client.init(net)
    rows, taken = numbers.rows(2, 6, columns=SOURCES), slice(2, 6)
    batch = {name: array[taken] for name, array in BATCH.items()}
    calls: list[Any] = [
        lambda data: client.gradients(net, params, data).params,
        lambda data: client.forward(net, params, data, ["value"]),
        lambda data: client.forward(net, params, data),
        lambda data: client.vjp(net, params, data, {"value": np.ones(4)}),
        lambda data: client.hvp(net, params, data, params),
    ]
    for call in calls:
        expected, found = call(batch), call(rows)
        np.testing.assert_equal(found, expected)


def test_a_step_takes_rows(client: Client, numbers: Dataset) -> None:
    model = client.create_model(regression(), name="m", optimizer=optim.sgd(0.01))
    twin = model.fork("twin")
    model.step(numbers.rows(indices=[5, 1], columns=SOURCES))
    twin.step({name: array[[5, 1]] for name, array in BATCH.items()})
    assert model.checkpoint().params_id == twin.checkpoint().params_id
    with pytest.raises(Refused, match="ledger"):
        numbers.delete()


def test_its_network_learns_from_it(client: Client) -> None:
    table = client.upload_dataset("table", {name: COLUMNS[name] for name in ("age", "size", "shop", "price")})
    net = table.network("price", hidden=(4,))
    noted = Table.read(net.spec())
    assert noted is not None
    loss, _ = client.value_and_grad(net, client.init(net), table.rows(columns=noted.columns))
    by_hand = noted.inputs(COLUMNS) | {"y": COLUMNS["price"]}
    assert loss == client.value_and_grad(net, client.init(net), by_hand)[0]


def test_it_is_deleted(client: Client, numbers: Dataset) -> None:
    numbers.delete(key="once")
    numbers.delete(key="once")
    assert client.datasets() == []
    with pytest.raises(Refused, match="no dataset 'numbers'"):
        numbers.describe()
