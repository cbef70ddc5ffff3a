"""The newest version is made sound wherever its slot is not; snapshots bound how long that takes."""

from __future__ import annotations

from math import inf
from pathlib import Path

import pytest
from support.models import OWNER, batch, create, id_of, numbers_of, open_store, same, step

from deltawire_service.models import batches, changes, newest
from deltawire_service.models.alterations import restore
from deltawire_service.models.creations import fork
from deltawire_service.models.errors import VersionExpired, VersionNotFound, VersionNotReproducible
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.versions import describe, read_ledger
from deltawire_service.store import slot_files
from deltawire_service.store.tables import snapshots


def train(store: ModelStore, steps: int = 4) -> None:
    create(store)
    for seed in range(steps):
        step(store, seed)


def slot_of(store: ModelStore) -> Path:
    row = store.find(OWNER, "model")
    return store.folder_of(row.id).slots / row.slot


def snapshot_versions(store: ModelStore) -> list[int]:
    found, model_id = list[int](), store.find(OWNER, "model").id
    with store.database.reading() as transaction:
        version = store.find(OWNER, "model").version
        while version >= 0 and (row := snapshots.newest(transaction, model_id, version)):
            found.append(row.version)
            version = row.version - 1
    return found[::-1]


def damage(slot: Path) -> None:
    contents = bytearray(slot.read_bytes())
    contents[:8] = b"another "
    slot.write_bytes(contents)


@pytest.mark.parametrize("harm", [damage, Path.unlink])
@pytest.mark.parametrize("reader", [True, False])
def test_a_slot_with_another_stamp_is_computed_again(store: ModelStore, harm: object, reader: bool) -> None:
    train(store)
    before, row = numbers_of(store), store.find(OWNER, "model")
    harm(slot_of(store))  # type: ignore[operator]
    if reader:
        assert same(before, numbers_of(store))
        assert store.find(OWNER, "model").version == 4
    step(store, 4)
    assert same(before, numbers_of(store, version=4))
    assert store.find(OWNER, "model").lineage == row.lineage
    assert [entry["kind"] for entry in read_ledger(store, OWNER, "model", -1, 9)] == ["created"] + 5 * [
        "step"
    ]


def test_after_another_boot_no_slot_is_trusted(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(store)
    before = numbers_of(store)
    slot = slot_of(store)
    contents = bytearray(slot.read_bytes())
    contents[64:] = bytes(len(contents) - 64)  # its stamp was written to the disk, its numbers were not
    slot.write_bytes(contents)
    (tmp_path / "boot").write_text("01234567-89ab-cdef-0123-456789abcdef\n")
    monkeypatch.setattr(slot_files, "BOOT_ID", tmp_path / "boot")
    assert same(before, numbers_of(store))


def test_where_the_bits_cannot_come_again_the_ledger_says_so(store: ModelStore, tmp_path: Path) -> None:
    train(store)
    before = numbers_of(store)
    damage(slot_of(store))
    other = open_store(tmp_path / "store", "another fingerprint")
    lineage = other.find(OWNER, "model").lineage
    after = numbers_of(other)  # here, the same bits all the same
    assert same(before, after)
    row = other.find(OWNER, "model")
    assert row.version == 5 and row.lineage != lineage
    (entry,) = read_ledger(other, OWNER, "model", 4, 9)
    assert entry == {"version": 5, "kind": "rebased", "step": 4, "from": 4}
    with pytest.raises(VersionNotReproducible):
        id_of(other, version=3)
    assert id_of(other, version=5) == id_of(store, version=5)  # it is in a snapshot
    step(other, 4)
    step(other, 5)
    assert id_of(other, version=6) and snapshot_versions(other) == [0, 5]
    other.database.close()


def test_a_snapshot_is_taken_before_a_step_under_another_fingerprint(
    store: ModelStore, tmp_path: Path
) -> None:
    train(store)
    other = open_store(tmp_path / "store", "another fingerprint")
    step(other, 4)
    step(other, 5)
    assert snapshot_versions(store) == [0, 4]
    step(store, 6)
    assert snapshot_versions(store) == [0, 4, 6]
    for reader, version, exact in ((store, 3, True), (other, 3, False), (other, 5, True), (store, 5, False)):
        if exact:
            assert id_of(reader, version=version)
        else:
            with pytest.raises(VersionNotReproducible):
                id_of(reader, version=version)
    with pytest.raises(VersionNotReproducible):
        restore(store, OWNER, "model", 5, inf)
    with pytest.raises(VersionNotReproducible):
        fork(store, OWNER, "model", "twin", inf, 5)
    other.database.close()


class Power:
    """The power of a machine: what is on its disk when it comes back was synced before.

    Args:
        store: the store; everything that it has committed until now was synced.
    """

    def __init__(self, store: ModelStore, monkeypatch: pytest.MonkeyPatch, folder: Path):
        self._store, self._monkeypatch, self._folder = store, monkeypatch, folder
        store.database.checkpoint()
        self._database = store.folder.database.read_bytes()

    def fail(self) -> None:
        self._store.database.close()
        for name in ("-wal", "-shm"):
            Path(f"{self._store.folder.database}{name}").unlink(missing_ok=True)
        self._store.folder.database.write_bytes(self._database)
        (self._folder / "boot").write_text("01234567-89ab-cdef-0123-456789abcdef\n")
        self._monkeypatch.setattr(slot_files, "BOOT_ID", self._folder / "boot")


def test_steps_that_a_crash_has_lost_are_said_and_their_versions_are_not_given_again(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "RESERVED", 5)
    train(store, 2)
    step(store, 2, durable=False)  # is synced, and reserves versions up to 8
    power, before = Power(store, monkeypatch, tmp_path), numbers_of(store)
    answered = [step(store, seed, durable=False)["version"] for seed in range(3, 7)]
    lineage = store.find(OWNER, "model").lineage
    power.fail()
    assert same(before, numbers_of(store))
    row = store.find(OWNER, "model")
    assert answered == [4, 5, 6, 7] and row.version == row.reserved == 9 and row.lineage != lineage
    assert read_ledger(store, OWNER, "model", 3, 9) == [{"version": 9, "kind": "lost", "step": 3, "from": 3}]
    for lost in (4, 5, 8):
        with pytest.raises(VersionExpired, match=f"version {lost} .* lost .* from version 3 as version 9"):
            id_of(store, version=lost)
        assert read_ledger(store, OWNER, "model", lost, 9)[0]["version"] == 9
    with pytest.raises(VersionNotFound, match="0 to 9, not 10"):
        id_of(store, version=10)
    with pytest.raises(VersionExpired, match="version 6 .* lost"):
        restore(store, OWNER, "model", 6, inf)
    assert [id_of(store, version=version) for version in range(4)]
    assert step(store, 3)["version"] == 10 and id_of(store, version=10) == id_of(store)


def test_a_crash_loses_no_durable_step(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(store)
    for seed in range(3):
        step(store, seed, durable=False)
    step(store, 3)
    power, before = Power(store, monkeypatch, tmp_path), numbers_of(store)
    lineage = store.find(OWNER, "model").lineage
    power.fail()
    assert same(before, numbers_of(store)) and store.find(OWNER, "model").lineage == lineage
    assert store.find(OWNER, "model").version == 4


def test_without_its_slot_a_model_goes_on_from_the_last_batch_that_is_kept(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "KEPT_BYTES", 1000)
    train(store, 2)
    for seed in range(2, 5):
        step(store, seed, arrays=batch(seed, 100 if seed == 3 else 5), durable=False)
    assert id_of(store, version=3)
    kept = numbers_of(store, version=3)
    slot_of(store).unlink()
    assert same(kept, numbers_of(store))
    version = store.find(OWNER, "model").version
    assert version > 5
    entries = [(e["version"], e["kind"]) for e in read_ledger(store, OWNER, "model", 2, 9)]
    assert entries == [(3, "step"), (4, "step"), (5, "step"), (version, "lost")]
    with pytest.raises(VersionExpired):
        id_of(store, version=5)
    step(store, 9)
    assert id_of(store, version=version + 1) == id_of(store)


def test_snapshots_bound_the_time_of_a_replay(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newest, "REPLAY_SECONDS", 0.0)
    monkeypatch.setattr(newest, "REPLAY_SNAPSHOTS", 0)
    train(store)
    assert snapshot_versions(store) == [0, 1, 2, 3]
    monkeypatch.setattr(newest, "REPLAY_SECONDS", 1e6)
    step(store, 4)
    assert snapshot_versions(store) == [0, 1, 2, 3]
    assert describe(store, OWNER, "model")["version"] == 5
