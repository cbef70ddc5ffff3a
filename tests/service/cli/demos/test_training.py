"""A demo learns by a run of a service, and a run that is not waited for is cancelled."""

from __future__ import annotations

import io
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from deltawire import Client, Model, Network, optim
from deltawire_service.cli.demos.training import Demo, run_page, train


class Sums(Demo):
    """Learns to add; `steps` are those after which it was shown."""

    name = "sums"
    epochs = 2
    batch_size = 10
    validate_every = 5

    def __init__(self, stops: bool = False):
        x = np.random.default_rng(0).normal(size=(200, 3))
        self.training, self.validation = (
            {"x": x[:160], "y": x[:160].sum(axis=1)},
            {"x": x[160:], "y": x[160:].sum(axis=1)},
        )
        self.steps, self.stops = list[int](), stops

    def network(self) -> Network:
        net = Network()
        value = net.layer("sum", net.layer("linear", net.input("x", (3,)), units=1))
        net.loss = net.layer("squared_error", value, net.input("y"))
        return net

    def optimizer(self, steps: int) -> optim.Optimizer:
        return optim.sgd(0.01, schedule=optim.schedules.linear(1.0, 0.0, total_iters=steps))

    def show_before(self, model: Model, screen: Console) -> None:
        assert model.version == 0

    def show_between(self, model: Model, screen: Console, steps: int) -> None:
        self.steps.append(steps)
        if self.stops:
            signal.raise_signal(signal.SIGINT)

    def show_after(self, model: Model, screen: Console) -> bool:
        return True


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with Client(data_dir=tmp_path / "data") as client:
        yield client


def screen() -> Console:
    return Console(file=io.StringIO(), width=80, highlight=False)


def test_it_learns_by_a_run_and_says_where_to_watch_it(client: Client) -> None:
    shown, demo = screen(), Sums()
    trained = train(demo, client, shown, "http://here", epochs=3, seed=1)
    (run,) = client.runs()
    assert (run["state"], run["steps"], run["id"]) == ("finished", 48, trained.run)
    recipe = run["recipe"]
    assert (recipe["dataset"], recipe["seed"], recipe["batch_size"]) == (trained.dataset, 1, 10)
    assert recipe["validation"]["every"] == 5 and trained.model.version == 48
    output: Any = shown.file
    assert f"http://here/models#curves=run:{run['id']}" in output.getvalue()
    assert "48 of 48 steps" in output.getvalue() and run["best_loss"] < 3


def test_the_same_demo_again_makes_another_model_of_the_same_rows(client: Client) -> None:
    first, again = (train(Sums(), client, screen(), "", epochs=1, seed=0) for _ in range(2))
    assert (first.model.name, again.model.name) == ("demo-sums", "demo-sums-2")
    assert first.dataset == again.dataset and len(client.datasets()) == 2
    assert first.model.checkpoint().params_id == again.model.checkpoint().params_id


def test_it_is_shown_while_the_run_goes_on(client: Client) -> None:
    demo = Sums()
    train(demo, client, screen(), "", epochs=300, seed=0)
    assert 1 <= len(demo.steps) <= 3 and demo.steps == sorted(demo.steps)
    assert all(0 < steps < 4800 for steps in demo.steps)


def test_an_interrupt_while_the_run_is_started_cancels_it(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = Model.fit

    def interrupted(*args: Any, **options: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return fit(*args, **options)

    monkeypatch.setattr(Model, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(Sums(), client, screen(), "", epochs=400, seed=0)
    assert [run["state"] for run in client.runs()] == ["cancelled"]


def test_an_interrupt_cancels_the_run(client: Client) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(Sums(stops=True), client, screen(), "", epochs=400, seed=0)
    (run,) = client.runs()
    assert run["state"] == "cancelled" and 0 < run["steps"] < run["total_steps"]


@pytest.mark.parametrize("address", ["http://127.0.0.1:8000", "http://127.0.0.1:8000/"])
def test_the_page_of_a_run(address: str) -> None:
    assert run_page(address, "f00d") == "http://127.0.0.1:8000/models#curves=run:f00d"
