"""Batches cover all examples, and `fit` is the loop that one writes with them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from deltawire import Client, Network, Refused, optim

CLIENT = Client()


def line(shared: bool = False) -> Network:
    net = Network()
    x, y = net.input("x", (2,)), net.input("y", (1,))
    hidden = net.layer("tanh", net.layer("linear", x, units=3, name="hidden"))
    out = net.layer("linear", hidden, units=1, name="out")
    if shared:
        out = out * net.input("scale", (1,), shared=True)
    net.loss = net.layer("squared_error", out, y)
    return net


def examples(count: int = 11) -> dict[str, Any]:
    stream = np.random.default_rng(0)
    return {"x": stream.normal(size=(count, 2)), "y": stream.normal(size=(count, 1))}


@pytest.mark.parametrize("size", [1, 4, 11, 100])
def test_batches_have_every_example_once(size: int) -> None:
    data = {"x": np.arange(11), "y": list(range(11)), "one": np.ones(3)}
    parts = list(optim.batches(data, size, shared=["one"]))
    assert [len(part["x"]) for part in parts] == [size] * (11 // size) + [11 % size] * (11 % size > 0)
    assert sorted(int(x) for part in parts for x in part["x"]) == list(range(11))
    assert all(list(part["x"]) == list(part["y"]) and part["one"].shape == (3,) for part in parts)


def test_the_seed_decides_the_order() -> None:
    def order(seed: Any) -> list[int]:
        return [int(x) for part in optim.batches({"x": np.arange(9)}, 2, seed) for x in part["x"]]

    assert order(3) == order(3) != order(4)
    stream = np.random.default_rng(3)
    assert order(stream) == order(3) != order(stream)
    assert order(np.random.RandomState(0)) == [int(x) for x in np.random.RandomState(0).permutation(9)]


@pytest.mark.parametrize("shared", [False, True])
def test_fit_is_the_loop_over_batches(shared: bool) -> None:
    net, data = line(shared), examples()
    if shared:
        data["scale"] = np.array([0.5])
    fitted, looped = CLIENT.init(net), CLIENT.init(net)
    losses = optim.fit(
        CLIENT, net, fitted, data, optim.adam(0.01), epochs=3, batch_size=4, seed=np.random.default_rng(7)
    )
    optimizer, stream, expected = optim.adam(0.01), np.random.default_rng(7), []
    for _ in range(3):
        total = 0.0
        order = stream.permutation(11)
        for rows in (order[:4], order[4:8], order[8:]):
            batch = {name: array if name == "scale" else array[rows] for name, array in data.items()}
            loss, gradients = CLIENT.value_and_grad(net, looped, batch)
            optimizer.step(looped, gradients)
            total += loss * len(rows)
        expected.append(total / 11)
    assert losses == expected
    assert {name: array.tobytes() for name, array in fitted.items()} == {
        name: array.tobytes() for name, array in looped.items()
    }


def test_epochs_may_be_an_iterable_that_shows_them() -> None:
    seen = []

    def shown(items: Iterable[int]) -> Iterable[int]:
        for item in items:
            yield item
            seen.append(item)

    net = line()
    assert len(optim.fit(CLIENT, net, CLIENT.init(net), examples(), optim.sgd(), epochs=shown(range(2)))) == 2
    assert seen == [0, 1]


def test_some_parameters_are_trained_alone() -> None:
    net = line()
    params, before = CLIENT.init(net), CLIENT.init(net)
    optim.fit(CLIENT, net, params, examples(), optim.sgd(0.1), parameters=["out.*"])
    changed = {name for name in params if not np.array_equal(params[name], before[name])}
    assert changed == {"out.weight", "out.bias"}


@pytest.mark.parametrize(
    "data, size, message",
    [
        ({"x": np.ones((3, 2)), "y": np.ones((4, 1))}, 2, "/data/y: expected 3 examples like 'x', got 4"),
        ({"x": np.ones((0, 2)), "y": np.ones((0, 1))}, 2, "there is no example to train with"),
        ({}, 2, "there is no example to train with"),
        ({"x": 1.0}, 2, "/data/x: expected one row for each example"),
        ([1], 2, "/data: expected a dict of arrays by name"),
        ({"x": np.ones((3, 2))}, 0, "/size: expected a whole number of at least 1, got 0"),
        ({"x": np.ones((3, 2))}, 2.0, "/size: expected a whole number"),
    ],
)
def test_what_cannot_be_divided_is_refused(data: Any, size: Any, message: str) -> None:
    with pytest.raises(Refused) as refused:
        list(optim.batches(data, size))
    assert message in str(refused.value)


def test_any_object_that_takes_steps_is_an_optimizer() -> None:
    """Write the rule of `sgd` by hand: the parameters end with the same bits."""

    class Own:
        def step(self, params: dict[str, Any], gradients: dict[str, Any]) -> None:
            for name, gradient in gradients.items():
                params[name] -= 0.1 * gradient

    net, data = line(), examples()
    mine, expected = CLIENT.init(net), CLIENT.init(net)
    losses = optim.fit(CLIENT, net, mine, data, Own(), epochs=2, batch_size=4)
    assert losses == optim.fit(CLIENT, net, expected, data, optim.sgd(0.1), epochs=2, batch_size=4)
    assert all(mine[name].tobytes() == expected[name].tobytes() for name in expected)
    data["x"][3] = np.nan
    with pytest.raises(Refused, match="example 3"):
        optim.fit(CLIENT, net, mine, data, Own())
