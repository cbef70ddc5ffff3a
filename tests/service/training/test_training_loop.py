"""A run takes the same steps as requests would, bit for bit, however it is interrupted."""

from __future__ import annotations

import json
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.engine import compiled
from support.models import ADAM, NOISY, OWNER, create, id_of, numbers_of, open_store, same, step
from support.runs import ROWS, add_dataset, described, examples, start, train, trainer_of

from deltawire_service.datasets.row_order import EpochRows, held_out_rows
from deltawire_service.models import newest
from deltawire_service.models.errors import VersionExpired
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.replay import find_origin
from deltawire_service.models.versions import open_version, read_ledger
from deltawire_service.store.limits import StoreLimits
from deltawire_service.store.tables import entries
from deltawire_service.training import training_loop
from deltawire_service.training.run_descriptions import read_metrics
from deltawire_service.training.run_steps import noise_seed


def batches(
    epochs: int, size: int = 8, held_out: int = 0, shuffle: bool = True, seed: int = 0
) -> list[dict[str, Any]]:
    """The batches of a run, gathered from the arrays of the dataset."""
    arrays, rows = examples(), ROWS - held_out
    found = []
    for epoch in range(1, epochs + 1):
        order = EpochRows(seed, epoch, 0, rows, ROWS, held_out).indices() if shuffle else np.arange(rows)
        for begin in range(0, rows, size):
            chosen = order[begin : begin + size]
            found.append({f"data/{name}": array[chosen] for name, array in arrays.items()})
    return found


def take_steps(store: ModelStore, name: str, taken: list[dict[str, Any]], **options: Any) -> None:
    for number, arrays in enumerate(taken):
        step(store, number, name, arrays=arrays, **options)


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_run_equals_its_steps_taken_one_by_one(store: ModelStore, shuffle: bool, dtype: str) -> None:
    for name in ("learner", "twin"):
        create(store, name, dtype=dtype)
    run = start(store, "learner", epochs=3, shuffle=shuffle)
    train(store)
    taken = batches(3, shuffle=shuffle)
    if dtype == "float32":
        taken = [{**each, "data/x": each["data/x"].astype("float32")} for each in taken]
    take_steps(store, "twin", taken)
    assert same(numbers_of(store, "learner"), numbers_of(store, "twin"))
    found = described(store, run)
    assert (found["state"], found["steps"], found["version"]) == ("finished", 21, 21)
    learnt, stepped = (
        [
            {key: entry[key] for key in ("version", "kind", "step", "loss", "gradient_norm")}
            for entry in ledger
        ]
        for ledger in (read_ledger(store, OWNER, name, 0, 99) for name in ("learner", "twin"))
    )
    assert learnt == stepped


def test_a_run_may_change_schedule_and_clipping_for_itself(store: ModelStore) -> None:
    schedule, clip = {"kind": "step", "step_size": 2, "gamma": 0.5}, {"norm": 0.1}
    for name in ("learner", "twin"):
        create(store, name)
        step(store, 0, name)  # the schedule of the run begins with its own first step
    start(store, "learner", steps=6, schedule=schedule, clip=clip)
    train(store)
    for number, arrays in enumerate(batches(1)[:6]):
        config = {"learning_rate": ADAM["config"]["learning_rate"] * 0.5 ** (number // 2)}
        step(store, number, "twin", arrays=arrays, optimizer={"config": config, "clip": clip})
    assert same(numbers_of(store, "learner"), numbers_of(store, "twin"))
    step(store, 99, "learner")  # the model's own rule is in force again
    step(store, 99, "twin")
    assert same(numbers_of(store, "learner"), numbers_of(store, "twin"))


def test_groups_and_turns_do_not_change_the_numbers(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(store, "twin")
    start(store, epochs=4)
    train(store)
    monkeypatch.setattr(training_loop, "GROUP_SECONDS", 0.0)
    monkeypatch.setattr("deltawire_service.training.trainer.TURN_SECONDS", 0.0)
    run = start(store, "twin", epochs=4)
    turns, trainer = 0, trainer_of(store)
    while trainer.take_turn():
        turns += 1
    assert turns == described(store, run)["steps"] + 1 == 29
    assert same(numbers_of(store), numbers_of(store, "twin"))


def test_versions_in_the_middle_of_a_run_are_computed_again(store: ModelStore) -> None:
    create(store, "twin")
    start(store, epochs=3)
    train(store)
    take_steps(store, "twin", batches(3)[:10])
    assert same(numbers_of(store, version=10), numbers_of(store, "twin"))
    assert same(numbers_of(store, version=0), numbers_of(store, "twin", 0))


def test_a_lost_slot_is_computed_again_from_the_entries_of_a_run(store: ModelStore) -> None:
    start(store, epochs=3)
    trainer_of(store).take_turn()
    before = id_of(store)
    for slot in store.folder_of(store.find(OWNER, "model").id).slots.iterdir():
        slot.unlink()
    assert id_of(store) == before


def test_validation_takes_the_rows_that_are_held_out(store: ModelStore) -> None:
    create(store, "twin")
    run = start(store, epochs=2, validation={"fraction": 0.2})
    train(store)
    take_steps(store, "twin", batches(2, held_out=10))
    assert same(numbers_of(store), numbers_of(store, "twin"))
    rows = held_out_rows(ROWS, 0, 10, 0, 10)
    expected = [loss_of(store, "twin", version, rows) for version in (5, 10)]
    losses = validation_losses(store, run)
    np.testing.assert_allclose(losses, expected, rtol=1e-12)
    assert described(store, run)["best_loss"] == min(losses)


def loss_of(store: ModelStore, name: str, version: int, rows: Any) -> float:
    """The mean loss of rows of the table, computed with numpy."""
    params, arrays = numbers_of(store, name, version).params, examples()
    x, y = arrays["x"][rows], arrays["y"][rows]
    active = np.tanh(x @ params["hidden.weight"].T + params["hidden.bias"])
    scores = active @ params["scores.weight"].T + params["scores.bias"]
    logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return float(-logs[np.arange(len(y)), y].mean())


def validation_losses(store: ModelStore, run: str) -> list[float]:
    return [each["loss"] for each in read_metrics(store, OWNER, run, -1, 999)["validations"]]


def test_a_run_without_progress_stops_early_and_goes_back_to_its_best_version(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = iter([1.0, 2.0, 1.0, 3.0])
    monkeypatch.setattr(training_loop, "mean_loss", lambda *arguments: next(losses))
    options = {"validation": {"fraction": 0.2, "every": 2}, "early_stopping": {"patience": 3}}
    run = start(store, epochs=50, **options)
    train(store)
    found = described(store, run)
    assert (found["state"], found["steps"], found["best_version"]) == ("finished", 8, 2)
    (*_, last) = read_ledger(store, OWNER, "model", 0, 99)
    assert (last["kind"], last["from"], last["step"], last["version"]) == ("restored", 2, 2, 9)
    assert same(numbers_of(store), numbers_of(store, version=2))
    assert found["version"] == 9
    step(store, 0)  # the model can be changed again


def test_the_best_version_is_that_of_the_smallest_loss_by_however_little(store: ModelStore) -> None:
    options = {
        "validation": {"fraction": 0.2, "every": 2},
        "early_stopping": {"patience": 3, "min_delta": 10.0},
    }
    run = start(store, epochs=50, **options)
    train(store)
    found, losses = described(store, run), validation_losses(store, run)
    assert found["steps"] == 8  # no validation is better than the first one by 10: three misses
    assert found["best_loss"] == min(losses) < losses[0]
    assert found["best_version"] == 2 + 2 * losses.index(min(losses))


def test_the_model_may_stay_where_a_run_stopped_early(store: ModelStore) -> None:
    options = {
        "validation": {"fraction": 0.2, "every": 2},
        "early_stopping": {"patience": 1, "min_delta": 10.0, "restore_best": False},
    }
    run = start(store, epochs=50, **options)
    train(store)
    assert (described(store, run)["steps"], store.find(OWNER, "model").version) == (4, 4)


def test_a_run_gives_up_the_rows_of_steps_beyond_the_entries_of_a_ledger(tmp_path: Path) -> None:
    store = open_store(tmp_path / "few", limits=StoreLimits(ledger_entries=10))
    create(store)
    first = add_dataset(store, name="first")
    add_dataset(store)
    for dataset in ("first", "table", "table"):
        start(store, dataset=dataset, epochs=2)
        train(store)
    row = store.find(OWNER, "model")
    assert (row.version, row.floor) == (42, 42)
    with store.database.reading() as transaction:
        assert entries.find_user_of(transaction, first.id) is None
    with pytest.raises(VersionExpired):
        find_origin(store, row, 14)


def test_cheap_steps_move_the_floor_when_no_replay_is_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newest, "REPLAY_SECONDS", inf)
    monkeypatch.setattr(training_loop, "MOST_STEPS", 20)
    store = open_store(tmp_path / "few", limits=StoreLimits(ledger_entries=10))
    create(store)
    add_dataset(store)
    run, trainer = start(store, steps=10**6), trainer_of(store)
    while described(store, run)["steps"] < 100:
        trainer.take_turn()
    row = store.find(OWNER, "model")
    assert row.version - row.floor <= 10 + 20
    store.close()


def test_a_run_ends_with_a_snapshot(store: ModelStore) -> None:
    start(store)
    train(store)
    row = store.find(OWNER, "model")
    assert find_origin(store, row, row.version).snapshot.version == row.version == 7


def test_a_step_that_cannot_be_taken_ends_the_run_after_those_before_it(store: ModelStore) -> None:
    arrays = examples()
    arrays["y"][20] = 7
    add_dataset(store, arrays, "broken")
    run = start(store, dataset="broken", shuffle=False)
    train(store)
    found = described(store, run)
    assert found["state"] == "failed" and found["problem"]["code"] == "label_out_of_range"
    detail = "input 'y': expected integers from 0 to 2, got 7 in example 4; it is in row 20 of the dataset"
    assert found["problem"]["detail"].startswith(f"step 3: /columns/y {detail}")
    assert found["steps"] == store.find(OWNER, "model").version == 2  # rows 16 to 23 are not taken
    step(store, 0, "model")


def test_a_validation_that_cannot_be_computed_ends_the_run_and_is_named(store: ModelStore) -> None:
    arrays = examples()
    arrays["y"][49] = 7
    add_dataset(store, arrays, "broken")
    run = start(store, validation={"dataset": "broken", "every": 2})
    train(store)
    problem = described(store, run)["problem"]
    assert problem["code"] == "label_out_of_range"
    assert problem["detail"].startswith("the validation after step 2: /columns/y input 'y'")
    assert "it is in row 49 of the dataset" in problem["detail"]


def test_the_ledger_tells_the_rows_of_a_step(store: ModelStore) -> None:
    run = start(store, epochs=2, validation={"fraction": 0.2})
    train(store)
    entry = read_ledger(store, OWNER, "model", 6, 1)[0]
    assert entry["run"] == run
    assert entry["rows"] == {"seed": 0, "epoch": 2, "start": 8, "stop": 16, "of": 50, "held_out": 10}
    assert entry["columns"] == {"x": "x", "y": "y"}
    json.dumps(entry)


def test_readers_have_the_newest_version_while_a_run_goes_on(store: ModelStore) -> None:
    start(store, epochs=30)
    trainer = trainer_of(store)
    trainer.take_turn()
    row = store.find(OWNER, "model")
    with store.locks.exclusive(store.folder_of(row.id).lock, inf):  # as the trainer holds it
        with open_version(store, OWNER, "model", 0.0) as version:
            assert version.entry.version == row.version


def test_a_run_with_dropout_has_noise_of_its_own_in_each_step(store: ModelStore) -> None:
    for name in ("learner", "twin"):
        create(store, name, spec=NOISY)
    run = start(store, "learner", epochs=2, seed=3, validation={"fraction": 0.2})
    train(store)
    ledger = [entry for entry in read_ledger(store, OWNER, "learner", 0, 99) if entry["kind"] == "step"]
    seeds = [entry["noise_seed"] for entry in ledger]
    assert seeds == [noise_seed(3, number) for number in range(10)] and len(set(seeds)) == 10
    for number, arrays in enumerate(batches(2, held_out=10, seed=3)):
        step(store, number, "twin", arrays=arrays, noise_seed=seeds[number])
    assert same(numbers_of(store, "learner"), numbers_of(store, "twin"))
    assert described(store, run)["state"] == "finished"
    # Every version is computed again from the ledger alone, and nothing is dropped in a validation.
    assert [id_of(store, "learner", version) for version in range(11)] == [
        id_of(store, "twin", version) for version in range(11)
    ]
    held = held_out_rows(ROWS, 3, 10, 0, 10)
    data = {name: array[held] for name, array in examples().items()}
    loss = compiled(NOISY).gradients(numbers_of(store, "learner").params, data).loss
    assert read_metrics(store, OWNER, run, -1, 99)["validations"][-1]["loss"] == pytest.approx(
        loss, rel=1e-12
    )
