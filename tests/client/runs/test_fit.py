"""A model learns in the background what it would learn step by step; Ctrl-C pauses it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from client.runs.conftest import examples

from deltawire import Client, Model, Refused, ServiceFailed, optim
from deltawire.runs.run import Run


def test_a_run_takes_the_steps_that_the_model_would_take(client: Client, model: Model) -> None:
    dataset, twin = client.upload_dataset("sums", examples()), model.fork("twin")
    run = model.fit(dataset, epochs=2, batch_size=16, shuffle=False, progress=False)
    for _ in range(2):
        for start in range(0, 60, 16):
            twin.step(dataset.rows(start, min(start + 16, 60)))
    assert run.state == "finished" and model.checkpoint().params_id == twin.checkpoint().params_id


def test_arrays_are_uploaded_once(client: Client, model: Model) -> None:
    for _ in range(2):
        model.fit(examples(), steps=3, validation=examples(10), validate_every=2, progress=False)
    names = [each["name"] for each in client.datasets()]
    assert [name.rpartition("-")[0] for name in names] == ["adder-data", "adder-validation"]
    assert model.version == 6


def test_a_recipe_is_that_of_the_arguments(client: Client, model: Model) -> None:
    client.upload_dataset("sums", examples() | {"a": np.zeros(60)})
    run = model.fit(
        "sums", epochs=3, batch_size=7, seed=5, validation=0.5, early_stopping=2, clip_norm=1.0,
        reduction="sum", schedule=optim.schedules.step(10), columns={"y": "a"}, wait=False,
    )  # fmt: skip
    recipe = run.describe()["recipe"]
    expected: dict[str, Any] = {
        "dataset": "sums", "epochs": 3, "batch_size": 7, "seed": 5, "shuffle": True, "clip": {"norm": 1.0},
        "reduction": "sum", "columns": {"y": "a"},
    }  # fmt: skip
    assert expected.items() <= recipe.items()
    assert recipe["validation"]["fraction"] == 0.5 and recipe["early_stopping"]["patience"] == 2
    assert recipe["schedule"]["kind"] == "step"


def test_the_same_key_starts_one_run(client: Client, model: Model) -> None:
    runs = {model.fit(examples(), epochs=1000, wait=False, key="once").id for _ in range(2)}
    assert len(runs) == len(client.runs()) == 1


@pytest.mark.parametrize(
    ("data", "options", "pointer"),
    [
        (3, {}, "/data"),
        (None, {}, "/data"),
        (examples(), {"validation": True}, "/validation"),
        (examples(), {"validate_every": 2}, "/validation"),
        (examples(), {"schedule": "cosine"}, "/schedule"),
        (examples(), {"columns": ["x"]}, "/columns"),
        (examples(), {"wait": "no"}, "/wait"),
        (examples(), {"progress": 0}, "/progress"),
        (examples(), {"validation": (1, 2)}, "/validation"),
        (examples(), {"validation": {"x": "a", "y": [object()]}}, "/validation/y/0"),
        ((1, 2), {}, "/data"),
    ],
)
def test_arguments_of_another_kind_are_refused(
    model: Model, data: Any, options: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(Refused) as caught:
        model.fit(data, **options)
    assert caught.value.pointer == pointer


def test_a_refused_run_leaves_nothing_that_it_uploaded(client: Client, model: Model) -> None:
    for options in ({"schedule": {"kind": "steps"}}, {"validation": {"y": np.zeros(3)}}):
        with pytest.raises(Refused):
            model.fit(examples(), progress=False, **options)
        assert client.datasets() == []
    model.fit(examples(), steps=1, progress=False)
    (kept,) = client.datasets()
    with pytest.raises(Refused):
        model.fit(examples(), progress=False, batch_size=0)
    assert client.datasets() == [kept]  # an earlier call made it


def test_ctrl_c_pauses_the_run_and_says_how_it_goes_on(
    client: Client, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(run: Run, *, progress: bool) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Run, "wait", interrupt)
    with pytest.raises(KeyboardInterrupt) as caught:
        model.fit(examples(), epochs=100_000)
    (run,) = client.runs()
    assert run["state"] == "paused"
    assert caught.value.__notes__ == [f"the run is paused: client.run({run['id']!r}).resume() lets it go on"]


def test_a_run_that_fails_says_why(client: Client, model: Model) -> None:
    model.change_optimizer(learning_rate=1e300)
    with pytest.raises(ServiceFailed, match=r"failed: step [12]: "):
        model.fit(examples(), epochs=100, progress=False)
