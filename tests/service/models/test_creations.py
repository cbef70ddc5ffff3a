"""New models: from parameters, from a seed, from a version of another model."""

from __future__ import annotations

import os
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.models import ADAM, OWNER, SPEC, batch, create, id_of, numbers_of, open_store, same, step

from deltawire.errors import Refused
from deltawire_service.models import creations
from deltawire_service.models.alterations import change_optimizer, delete, restore
from deltawire_service.models.creations import CreateRequest, fork
from deltawire_service.models.errors import NameTaken, VersionNotFound
from deltawire_service.models.model_store import ModelStore
from deltawire_service.store.errors import KeyReused, OutcomeUnknown, QuotaExceeded, StoreFull
from deltawire_service.store.limits import StoreLimits
from deltawire_service.store.tables.idempotency_keys import RequestKey

WITHOUT_PARAMETERS = {"inputs": {"x": {"shape": []}}, "nodes": [{"kind": "exp", "inputs": ["x"]}]}
KEY = RequestKey(OWNER, "key", b"digest")


def folders(store: ModelStore) -> list[str]:
    return os.listdir(store.folder.models)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_seed_draws_the_parameters_that_init_draws(store: ModelStore, dtype: str) -> None:
    create(store, seed=7, dtype=dtype)
    numbers = numbers_of(store)
    expected = store.compile_network(SPEC).init(7, dtype)
    assert {n: a.tobytes() for n, a in numbers.params.items()} == {
        n: a.tobytes() for n, a in expected.items()
    }
    assert numbers.params["hidden.bias"].dtype == dtype
    assert set(numbers.state) == {f"{name}.{key}" for name in expected for key in ("exp_avg", "exp_avg_sq")}
    step(store, 1, arrays=batch(1, dtype=dtype))


def test_parameters_of_the_caller_are_kept_as_they_are(store: ModelStore) -> None:
    params = {
        "hidden.weight": np.asfortranarray(np.arange(32.0).reshape(8, 4) / 100),
        "hidden.bias": np.full(8, -0.0),
        "scores.weight": np.ones((3, 16))[:, ::2],
        "scores.bias": np.zeros(3),
    }
    answer = create(store, params=params)
    kept = numbers_of(store).params
    assert all(kept[name].tobytes() == array.tobytes() for name, array in params.items())
    assert answer["params_id"] == id_of(store) == id_of(store, version=0)
    assert answer["version"] == answer["step"] == 0


@pytest.mark.parametrize(
    "name, request_, code, pointer",
    [
        ("../x", CreateRequest(SPEC, ADAM), "name_invalid", "/name"),
        ("a\n", CreateRequest(SPEC, ADAM), "name_invalid", "/name"),
        ("a", CreateRequest(SPEC, {"kind": "adm"}), "unknown_kind", "/optimizer/kind"),
        (
            "a",
            CreateRequest(SPEC, {"kind": "adam", "config": {"lr": 1}}),
            "field_unknown",
            "/optimizer/config/lr",
        ),
        ("a", CreateRequest(SPEC, ADAM, {}), "missing_parameter", "/params/hidden.weight"),
        ("a", CreateRequest({"nodes": []}, ADAM), "field_missing", "/network/inputs"),
        ("a", CreateRequest(WITHOUT_PARAMETERS, ADAM), "field_invalid", "/network"),
    ],
)
def test_a_model_that_does_not_fit_leaves_nothing(
    store: ModelStore, name: str, request_: CreateRequest, code: str, pointer: str
) -> None:
    with pytest.raises(Refused) as refused:
        creations.create(store, OWNER, name, request_, inf)
    assert (refused.value.code, refused.value.pointer) == (code, pointer)
    assert not folders(store)


def test_a_name_is_taken_once_by_each_owner(store: ModelStore) -> None:
    create(store)
    with pytest.raises(NameTaken):
        create(store)
    creations.create(store, "ben", "model", CreateRequest(SPEC, ADAM), inf)
    assert len(folders(store)) == 2


def test_a_key_makes_one_model(store: ModelStore) -> None:
    request = CreateRequest(SPEC, ADAM)
    answer = creations.create(store, OWNER, "model", request, inf, KEY)
    step(store, 1)
    assert creations.create(store, OWNER, "model", request, inf, KEY) == answer | {"replayed": True}
    with pytest.raises(KeyReused):
        creations.create(store, OWNER, "model", request, inf, RequestKey(OWNER, "key", b"other"))
    assert len(folders(store)) == 1


def test_the_loser_of_a_race_gets_the_answer_of_the_winner(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = CreateRequest(SPEC, ADAM)
    answer = creations.create(store, OWNER, "model", request, inf, KEY)
    monkeypatch.setattr(creations, "find_answer", lambda *_: None)  # it looked before the winner committed
    assert creations.create(store, OWNER, "model", request, inf, KEY) == answer | {"replayed": True}
    assert len(folders(store)) == 1


def test_a_full_disk_leaves_nothing(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise StoreFull

    monkeypatch.setattr(creations, "take_snapshot", full)
    with pytest.raises(StoreFull):
        create(store)
    monkeypatch.undo()
    assert not folders(store)
    create(store)


def test_the_folder_stays_where_the_row_may_come_to_light(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: Any) -> None:
        raise OutcomeUnknown

    monkeypatch.setattr(creations.models, "insert", unknown)
    with pytest.raises(OutcomeUnknown):
        create(store)
    assert len(folders(store)) == 1


@pytest.mark.parametrize("version", [None, 2, 4])
def test_a_fork_goes_on_like_the_model_itself(store: ModelStore, version: int | None) -> None:
    create(store)
    for seed in range(4):
        step(store, seed)
    answer = fork(store, OWNER, "model", "twin", inf, version)
    begin = 4 if version is None else version
    assert (answer["version"], answer["step"]) == (0, begin)
    for seed in range(begin, 6):
        step(store, seed, "twin")
    for seed in range(4, 6):
        step(store, seed)
    assert same(numbers_of(store), numbers_of(store, "twin"))
    assert same(numbers_of(store, version=6), numbers_of(store, "twin", 6 - begin))


def test_there_is_nothing_to_fork_beyond_the_newest_version(store: ModelStore) -> None:
    create(store)
    with pytest.raises(VersionNotFound, match="0 to 0, not 1"):
        fork(store, OWNER, "model", "twin", inf, 1)
    assert len(folders(store)) == 1


def limited(path: Path, **limits: int) -> ModelStore:
    return open_store(path, limits=StoreLimits(**limits))


def test_what_an_owner_may_have_is_checked_first(tmp_path: Path) -> None:
    store = limited(tmp_path / "small", bytes_per_owner=12_000)
    create(store)
    with pytest.raises(QuotaExceeded, match="bytes"):
        fork(store, OWNER, "model", "twin", inf)
    creations.create(store, "ben", "model", CreateRequest(SPEC, ADAM), inf)
    with pytest.raises(QuotaExceeded, match="bytes"):
        for seed in range(99):
            step(store, seed, arrays=batch(seed, 20))
    row = store.find(OWNER, "model")
    assert 11_000 < row.bytes < 12_000 and store.find("ben", "model").bytes < row.bytes
    store.database.close()
    store = limited(tmp_path / "small", models_per_owner=2)
    create(store, "two")
    with pytest.raises(QuotaExceeded, match="2 models"):
        create(store, "three")
    assert len(folders(store)) == 3
    store.database.close()


def test_while_the_disk_has_too_little_room_nothing_is_written_and_readers_go_on(tmp_path: Path) -> None:
    store = limited(tmp_path / "full")
    create(store)
    store.database.close()
    store = limited(tmp_path / "full", free_bytes=10**15)
    for change in (
        lambda: create(store, "two"),
        lambda: step(store, 1),
        lambda: restore(store, OWNER, "model", 0, inf),
        lambda: change_optimizer(store, OWNER, "model", {}, inf),
    ):
        with pytest.raises(StoreFull, match="must stay free"):
            change()
    assert id_of(store) and store.find(OWNER, "model").version == 0 and len(folders(store)) == 1
    delete(store, OWNER, "model", inf)
    store.database.close()
