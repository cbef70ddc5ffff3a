"""A run is followed, paused, resumed and cancelled; it needs nothing of the program that started it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from client.runs.conftest import examples

from deltawire import Client, Model, Refused


def test_its_metrics_are_yielded_as_they_come(model: Model) -> None:
    run = model.fit(examples(), epochs=3, batch_size=20, validation=examples(10), wait=False)
    metrics = [*run]
    assert metrics == run.metrics() and run.state == "finished"
    steps = [each for each in metrics if each.loss is not None]
    validations = [each for each in metrics if each.validation_loss is not None]
    assert [each.version for each in steps] == list(range(1, 10))
    assert [each.version for each in validations] == [3, 6, 9]
    assert metrics.index(validations[0]) == 3, "a validation comes after its step"
    assert all(math.isfinite(each.gradient_norm or 0) and each.learning_rate == 0.01 for each in steps)
    assert run.metrics(since=6) == metrics[-4:]


def test_its_progress_is_shown_in_ones_own_way(model: Model) -> None:
    class Recorded:
        def __init__(self) -> None:
            self.losses: list[tuple[float | None, float | None]] = []
            self.states: list[str] = []

        def add(self, loss: float | None, validation_loss: float | None) -> None:
            self.losses.append((loss, validation_loss))

        def update(self, description: Mapping[str, Any]) -> None:
            self.states.append(description["state"])

    run = model.fit(examples(), epochs=3, batch_size=20, validation=examples(10), wait=False)
    recorded = Recorded()
    assert run.wait(progress=recorded)["state"] == "finished" == recorded.states[-1]
    assert recorded.losses == [(each.loss, each.validation_loss) for each in run.metrics()]


def test_it_is_paused_resumed_and_cancelled(client: Client, model: Model) -> None:
    run = model.fit(examples(), epochs=1_000_000, wait=False)
    assert run.pause()["state"] == "paused"
    assert run.wait()["state"] == "paused", "a paused run is not waited for"
    with pytest.raises(Refused, match="learns in run") as caught:
        model.step(examples())
    assert caught.value.code == "model_in_run"
    assert run.resume()["state"] == "queued"
    assert run.cancel()["state"] == "cancelled"
    assert model.step(examples()).step >= 1
    with pytest.raises(Refused) as caught:
        run.resume()
    assert caught.value.code == "run_ended"


def test_another_process_goes_on_with_it(client: Client, model: Model, tmp_path: Path) -> None:
    run = model.fit(examples(), epochs=200, wait=False)
    client.close()  # and with it the trainer of this one
    with Client(data_dir=tmp_path / "data") as other:
        assert other.run(run.id).wait()["state"] == "finished"
    assert model.version == 400
