"""Steps: right against torch, taken exactly once, whole or not at all."""

from __future__ import annotations

import os
import shutil
import time
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.models import ADAM, OWNER, SPEC, batch, create, id_of, numbers_of, open_store, same, step

from deltawire.errors import Refused
from deltawire_service.engine import DeadlineExceeded
from deltawire_service.models import batches, changes, steps
from deltawire_service.models.computation import AnswerArrays
from deltawire_service.models.errors import (
    ModelNotFound,
    VersionChanged,
    VersionExpired,
)
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.numbers import Numbers
from deltawire_service.models.steps import StepRequest, recompute_arrays, take_step
from deltawire_service.models.versions import describe, read_ledger
from deltawire_service.store.errors import AnswerExpired, KeyReused, LockBusy, OutcomeUnknown
from deltawire_service.store.tables.idempotency_keys import RequestKey


@pytest.mark.torch
@pytest.mark.parametrize(
    "kind, config", [("sgd", {"momentum": 0.9}), ("adam", {}), ("adamw", {"amsgrad": True})]
)
def test_steps_are_those_of_torch(store: ModelStore, kind: str, config: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    schedule = {"kind": "step", "step_size": 2, "gamma": 0.5}
    clip = {"norm": 0.3}
    document = {"kind": kind, "config": {"learning_rate": 0.05, **config}, "schedule": schedule, "clip": clip}
    create(store, optimizer=document)
    start = numbers_of(store).params
    params = {name: torch.tensor(array, requires_grad=True) for name, array in start.items()}
    classes = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    optimizer = classes[kind](params.values(), lr=0.05, **config)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5)
    for seed in range(6):
        arrays = batch(seed)
        x, y = torch.tensor(arrays["data/x"]), torch.tensor(arrays["data/y"])
        hidden = torch.tanh(x @ params["hidden.weight"].T + params["hidden.bias"])
        scores = hidden @ params["scores.weight"].T + params["scores.bias"]
        loss = torch.nn.functional.cross_entropy(scores, y)
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(params.values(), 0.3)
        rate = optimizer.param_groups[0]["lr"]
        optimizer.step()
        scheduler.step()
        answer = step(store, seed)
        assert answer["loss"] == pytest.approx(loss.item(), rel=1e-12)
        assert answer["gradient_norm"] == pytest.approx(norm.item(), rel=1e-12)
        assert answer["learning_rate"] == pytest.approx(rate, rel=1e-12)
        assert (answer["version"], answer["step"]) == (seed + 1, seed + 1)
    for name, array in numbers_of(store).params.items():
        np.testing.assert_allclose(array, params[name].detach().numpy(), rtol=1e-9, atol=1e-12)


def test_a_key_takes_one_step(store: ModelStore) -> None:
    create(store)
    first = step(store, 1, key="a")
    assert not first["replayed"]
    assert step(store, 1, key="a") == first | {"replayed": True}
    step(store, 2)
    assert step(store, 1, key="a") == first | {"replayed": True}
    with pytest.raises(KeyReused):
        step(store, 2, key="a")
    assert [entry["kind"] for entry in read_ledger(store, OWNER, "model", -1, 99)] == [
        "created",
        "step",
        "step",
    ]


def test_another_process_goes_on_where_one_stopped(store: ModelStore, tmp_path: Path) -> None:
    create(store)
    create(store, "other")
    others = [open_store(tmp_path / "store") for _ in range(2)]
    for seed in range(6):
        step(others[seed % 2], seed)
        step(store, seed, "other")
    assert same(numbers_of(store), numbers_of(store, "other"))
    for other in others:
        other.database.close()


def test_gradients_of_the_caller_are_taken_like_those_of_the_service(store: ModelStore) -> None:
    create(store)
    create(store, "other")
    for seed in range(3):
        params, arrays = numbers_of(store).params, batch(seed)
        data = {name.removeprefix("data/"): array for name, array in arrays.items()}
        result = store.compile_network(SPEC).gradients(params, data)
        step(store, seed)
        gradients = {f"gradients/{name}": array for name, array in result.params.items()}
        answer = step(store, seed, "other", arrays=gradients)
        assert answer["loss"] is None
    assert same(numbers_of(store), numbers_of(store, "other"))
    assert id_of(store, "other", 2) == id_of(store, "model", 2)


BIAS = "/gradients/hidden.bias"
GRADIENTS = {f"gradients/{name}": np.ones(shape) for name, shape in {
    "hidden.weight": (8, 4), "hidden.bias": (8,), "scores.weight": (3, 8), "scores.bias": (3,),
}.items()}  # fmt: skip


@pytest.mark.parametrize(
    "options, code, pointer",
    [
        ({"arrays": batch(0) | GRADIENTS}, "field_invalid", "/data"),
        (
            {"arrays": {"gradients/hidden.weight": np.ones((8, 4))}},
            "missing_parameter",
            BIAS,
        ),
        ({"arrays": GRADIENTS | {"gradients/more": np.ones(1)}}, "unknown_parameter", "/gradients/more"),
        (
            {"arrays": GRADIENTS | {BIAS[1:]: np.ones(1)}},
            "shape_mismatch",
            BIAS,
        ),
        (
            {"arrays": GRADIENTS | {BIAS[1:]: np.ones(8, np.float32)}},
            "dtype_mismatch",
            BIAS,
        ),
        ({"arrays": GRADIENTS | {BIAS[1:]: np.full(8, np.nan)}}, "non_finite", ""),
        ({"arrays": {"data/x": np.ones((2, 4))}}, "missing_data", "/data/y"),
        ({"optimizer": {"kind": "sgd"}}, "field_invalid", "/optimizer/kind"),
        ({"optimizer": {"config": {"amsgrad": True}}}, "field_invalid", "/optimizer/config"),
        ({"optimizer": {"config": {"rate": 1}}}, "field_unknown", "/optimizer/config/rate"),
    ],
)
def test_a_step_that_does_not_fit_changes_nothing(
    store: ModelStore, options: dict[str, Any], code: str, pointer: str
) -> None:
    create(store)
    step(store, 0)
    before = numbers_of(store)
    with pytest.raises(Refused) as refused:
        step(store, 1, **options)
    assert (refused.value.code, refused.value.pointer) == (code, pointer)
    assert same(before, numbers_of(store)) and len(read_ledger(store, OWNER, "model", -1, 9)) == 2
    assert step(store, 1)["version"] == 2


def test_a_step_to_parameters_that_are_not_finite_is_refused(store: ModelStore) -> None:
    create(store, dtype="float32")
    before = numbers_of(store)
    with pytest.raises(Refused, match="after this step"):
        step(store, 0, arrays=batch(0, dtype="float32"), optimizer={"config": {"learning_rate": 1e39}})
    assert same(before, numbers_of(store))


def test_the_version_is_checked_when_the_caller_names_one(store: ModelStore) -> None:
    create(store)
    assert step(store, 0, if_version=0)["version"] == 1
    with pytest.raises(VersionChanged, match="is 1, not 0"):
        step(store, 1, if_version=0)


def test_other_hyperparameters_hold_for_one_step_and_are_replayed(store: ModelStore) -> None:
    create(store, optimizer=ADAM | {"schedule": {"kind": "step", "step_size": 1, "gamma": 0.5}})
    rates = [
        step(store, 0)["learning_rate"],
        step(store, 1, optimizer={"config": {"learning_rate": 0.3, "betas": [0.5, 0.5]}})["learning_rate"],
        step(store, 2, optimizer={"clip": {"norm": 0.01}}, reduction="sum")["learning_rate"],
        step(store, 3)["learning_rate"],
    ]
    assert rates == [0.01, 0.3, 0.0025, 0.00125]
    newest = id_of(store)
    step(store, 4)
    assert id_of(store, version=4) == newest


def test_large_batches_are_kept_in_a_segment_and_replayed(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "INLINE_BYTES", 1000)
    create(store)
    ids = []
    for seed in range(4):
        step(store, seed, arrays=batch(seed, size=3 if seed % 2 else 100))
        ids.append(id_of(store))
    assert len(os.listdir(store.folder_of(store.find(OWNER, "model").id).segments)) == 1
    assert [id_of(store, version=version) for version in (1, 2, 3)] == ids[:3]


def test_a_step_that_need_not_be_durable_says_so_and_a_durable_one_makes_all_so(store: ModelStore) -> None:
    create(store)
    assert [step(store, seed, durable=False)["durable"] for seed in range(3)] == [False] * 3
    assert not describe(store, OWNER, "model")["durable"]
    again = step(store, 3, durable=False, key="a")
    assert step(store, 3, durable=False, key="a") == again | {"replayed": True}
    assert step(store, 4)["durable"] and describe(store, OWNER, "model")["durable"]
    assert [id_of(store, version=version) for version in range(6)]  # each has its batch


def test_only_every_thousandth_of_such_steps_is_synced(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "RESERVED", 3)
    create(store)
    synced, writing = list[bool](), store.database.writing

    def watch(deadline: float, durable: bool = True) -> Any:
        synced.append(durable)
        return writing(deadline, durable)

    monkeypatch.setattr(store.database, "writing", watch)
    for seed, durable in enumerate([False] * 8 + [True, False, False]):
        step(store, seed, durable=durable)
    assert synced == [True, False, False, True, False, False, True, False, True, True, False]


def test_large_batches_of_such_steps_are_not_kept_and_a_snapshot_comes_before_a_durable_step(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "KEPT_BYTES", 1000)
    create(store)
    for seed in range(4):
        step(store, seed, arrays=batch(seed, size=100 if seed in (1, 2) else 5), durable=False)
    folder = store.folder_of(store.find(OWNER, "model").id)
    assert not os.listdir(folder.segments) and len(os.listdir(folder.snapshots)) == 1
    assert id_of(store, version=1)
    for version in (2, 3):
        with pytest.raises(VersionExpired, match="not durable"):
            id_of(store, version=version)
    newest = id_of(store)
    step(store, 4)
    assert len(os.listdir(folder.snapshots)) == 2 and id_of(store, version=4) == newest
    assert id_of(store, version=5) == id_of(store)


WANTED = AnswerArrays(params=True, values=["hidden"], deltas=["scores"], losses=True)


def bits(node: Any) -> Any:
    return {key: bits(each) for key, each in node.items()} if isinstance(node, dict) else node.tobytes()


def test_arrays_of_an_answer_are_computed_again_bit_for_bit(store: ModelStore) -> None:
    create(store)
    step(store, 0)
    request = StepRequest(batch(1, 300), wanted=WANTED)
    answer = take_step(store, OWNER, "model", request, inf)
    first = {name: answer[name] for name in ("gradients", "values", "deltas", "losses")}
    copied = bits(first)
    for seed in range(2, 5):
        step(store, seed)
    arrays = recompute_arrays(store, OWNER, "model", request, answer, inf)
    assert bits(arrays) == copied


def test_arrays_that_cannot_be_computed_again_are_refused(store: ModelStore, tmp_path: Path) -> None:
    create(store)
    request = StepRequest(batch(1), wanted=WANTED)
    step(store, 0)
    answer = take_step(store, OWNER, "model", request, inf)
    other = open_store(tmp_path / "store", "another fingerprint")
    for models, name_of_answer in (
        (other, answer),
        (store, answer | {"loss": 0.5}),
        (store, answer | {"version": 9}),
    ):
        with pytest.raises(AnswerExpired):
            recompute_arrays(models, OWNER, "model", request, name_of_answer, inf)
    other.database.close()


def test_the_deadline_is_looked_at_before_anything_is_written(store: ModelStore) -> None:
    create(store)
    with pytest.raises(DeadlineExceeded):
        take_step(store, OWNER, "model", StepRequest(batch(0)), time.monotonic() - 1)
    assert store.find(OWNER, "model").version == 0


def test_only_the_owner_finds_a_model(store: ModelStore) -> None:
    create(store)
    with pytest.raises(ModelNotFound, match="there are none"):
        take_step(store, "ben", "model", StepRequest(batch(0)), inf)
    with pytest.raises(ModelNotFound, match="did you mean 'model'"):
        step(store, 0, "modle")


def test_a_commit_that_fails_leaves_the_version_and_the_same_request_may_come_again(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(store)
    before, key = numbers_of(store), RequestKey(OWNER, "key", b"digest")

    def fail(*_: object) -> None:
        raise OutcomeUnknown

    monkeypatch.setattr(steps, "commit", fail)
    with pytest.raises(OutcomeUnknown):
        take_step(store, OWNER, "model", StepRequest(batch(0)), inf, key)
    monkeypatch.undo()
    assert same(before, numbers_of(store))
    answer = take_step(store, OWNER, "model", StepRequest(batch(0)), inf, key)
    assert answer["version"] == 1 and not answer["replayed"]
    assert not same(before, Numbers(*numbers_of(store)))


def test_a_step_whose_commit_comes_to_light_after_a_crash_has_its_batch(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the crash, the disk failed at its commit, and another step stored its batch meanwhile."""
    monkeypatch.setattr(batches, "INLINE_BYTES", 1000)
    create(store)
    step(store, 0, arrays=batch(0, size=100))
    folder, before, light = store.folder, tmp_path / "before", tmp_path / "light"

    def copy_database(source: Path, target: Path) -> None:
        target.mkdir(exist_ok=True)
        for name in (folder.database.name, f"{folder.database.name}-wal"):
            shutil.copyfile(source / name, target / name)

    copy_database(folder.path, before)
    step(store, 1, arrays=batch(1, size=100))
    expected = id_of(store)
    copy_database(folder.path, light)
    store.database.close()
    copy_database(before, folder.path)  # as the processes see it, in which the commit has failed
    with pytest.raises(LockBusy), monkeypatch.context() as patched:
        other = open_store(folder.path)
        patched.setattr(steps, "commit", lambda *_: raise_busy())
        step(other, 2, arrays=batch(2, size=100))
    other.database.close()
    copy_database(light, folder.path)  # as the disk has it after the crash
    after = open_store(folder.path)
    assert after.find(OWNER, "model").version == 2
    assert id_of(after, version=2) == expected
    step(after, 3)
    assert id_of(after, version=2) == expected  # computed again from the batch
    after.database.close()


def raise_busy() -> None:
    raise LockBusy


def test_a_step_to_a_state_that_is_not_finite_is_refused(store: ModelStore) -> None:
    create(store, dtype="float32")
    gradients = {name: np.full(array.shape, 1e20, np.float32) for name, array in GRADIENTS.items()}
    with pytest.raises(Refused, match="state after this step"):  # float32 does not hold their squares
        step(store, 0, arrays=gradients)
