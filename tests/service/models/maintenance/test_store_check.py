"""A check finds every file that is gone or damaged, and every gap of a ledger."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.models import OWNER, batch, create, id_of, open_store, step

from deltawire_service.models import batches
from deltawire_service.models.maintenance.store_check import check_store
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.versions import read_ledger
from deltawire_service.store.folders import ModelFolder


@pytest.fixture
def trained(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> ModelStore:
    monkeypatch.setattr(batches, "INLINE_BYTES", 1000)
    create(store)
    for seed in range(4):
        step(store, seed, arrays=batch(seed, 60 if seed == 1 else 5))
    return store


def folder_of(store: ModelStore) -> ModelFolder:
    return store.folder_of(store.find(OWNER, "model").id)


def lose_snapshot(store: ModelStore) -> None:
    next(folder_of(store).snapshots.iterdir()).unlink()


def damage_snapshot(store: ModelStore) -> None:
    path = next(folder_of(store).snapshots.iterdir())
    contents = bytearray(path.read_bytes())
    contents[contents.index(b"}}") + 200] ^= 1
    path.write_bytes(contents)


def lose_segment(store: ModelStore) -> None:
    next(folder_of(store).segments.iterdir()).unlink()


def run(statement: str) -> Callable[[ModelStore], None]:
    def change(store: ModelStore) -> None:
        with store.database.writing() as transaction:
            transaction.execute("PRAGMA defer_foreign_keys = ON")
            transaction.execute(statement)

    return change


def test_a_sound_store_has_no_problems(trained: ModelStore) -> None:
    create(trained, "another")
    step(trained, 1, "another", arrays=batch(1, 60), durable=False)
    assert check_store(trained, replay=True) == [] == check_store(trained)


def test_a_rebased_model_may_skip_the_versions_that_were_reserved(store: ModelStore) -> None:
    create(store)
    step(store, 0, durable=False)
    row = store.find(OWNER, "model")
    assert row.reserved > row.version
    path = folder_of(store).slots / row.slot
    contents = bytearray(path.read_bytes())
    contents[: len(row.stamp)] = bytes(len(row.stamp))
    path.write_bytes(contents)
    other = open_store(store.folder.path, another_fingerprint="another")
    id_of(other)
    other.database.close()
    entries = read_ledger(store, OWNER, "model", -1, 9)
    assert [entry["kind"] for entry in entries] == ["created", "step", "rebased"]
    assert entries[-1]["version"] == row.reserved + 1 > 2
    assert check_store(store) == []


@pytest.mark.parametrize(
    "harm, words",
    [
        (lose_snapshot, "snapshot of version 0 cannot be read: .*No such file"),
        (damage_snapshot, "snapshot of version 0 has other parameters"),
        (lose_segment, "batch of version 2 is not in its segment"),
        (run("DELETE FROM entries WHERE version = 2"), "goes on with version 3, not 2"),
        (run("DELETE FROM entries WHERE version = 4"), "ends before version 4, the model is at version 4"),
        (run("DELETE FROM snapshots"), "no snapshot of version 0"),
        (run("UPDATE entries SET batch = NULL WHERE version = 3"), "step to version 3 has no batch"),
    ],
)
def test_what_is_gone_or_damaged_is_said(
    trained: ModelStore, harm: Callable[[ModelStore], None], words: str
) -> None:
    harm(trained)
    problems = check_store(trained)
    with pytest.raises(AssertionError, match=words):
        assert not problems, "\n".join(problems)
    assert all(problem.startswith("model 'model' of 'anna'") for problem in problems)


def test_a_replay_finds_a_slot_that_has_other_parameters(trained: ModelStore) -> None:
    row = trained.find(OWNER, "model")
    path = folder_of(trained).slots / row.slot
    contents = bytearray(path.read_bytes())
    contents[64] ^= 1
    path.write_bytes(contents)
    assert not check_store(trained)
    assert "computed with other parameters" in check_store(trained, replay=True)[0]
    run("UPDATE entries SET batch = x'00' WHERE version = 3")(trained)
    assert "cannot be computed" in check_store(trained, replay=True)[-1]
