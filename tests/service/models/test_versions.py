"""Any version is read as it was; the newest one while others write it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from math import inf
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from support.blas import blas_threads
from support.models import (
    OWNER,
    batch,
    create,
    id_of,
    numbers_of,
    open_store,
    open_without_layers,
    same,
    step,
)

from deltawire.errors import Refused
from deltawire_service.admission.compute_queue import Overloaded
from deltawire_service.engine import call_until
from deltawire_service.models import batches, creations, newest, replay, versions
from deltawire_service.models.alterations import delete, restore
from deltawire_service.models.computation import GradientsResult, StepWork, compute_gradients
from deltawire_service.models.creations import CreateRequest
from deltawire_service.models.errors import ModelNotFound, VersionExpired, VersionNotFound
from deltawire_service.models.maintenance.sweeps import sweep
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.newest import Newest
from deltawire_service.models.numbers import Numbers
from deltawire_service.models.versions import describe, list_models, open_version, read_ledger
from deltawire_service.networks.published import params_id
from deltawire_service.store import segments
from deltawire_service.store.errors import LockBusy
from deltawire_service.store.limits import StoreLimits
from deltawire_service.store.observer import Unobserved
from deltawire_service.store.readers import MOST_HELD
from deltawire_service.store.tables import entries, snapshots
from deltawire_service.store.tables.models import ModelRow

READER = """
import sys
from pathlib import Path
from support.models import id_of, open_store
store = open_store(Path(sys.argv[1]))
print(*[id_of(store, version=version) for version in range(int(sys.argv[2]))])
"""


def test_every_version_has_its_bits_again_in_a_fresh_process(store: ModelStore) -> None:
    create(store)
    ids = [id_of(store)]
    for seed in range(8):
        step(store, seed, arrays=batch(seed, size=1 + 7 * seed))
        ids.append(id_of(store))
    assert [id_of(store, version=version) for version in range(9)] == ids
    command = [sys.executable, "-c", READER, str(store.folder.path), "9"]
    environment = {**os.environ, **blas_threads(), "PYTHONPATH": str(Path(__file__).parents[2])}
    read = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert read.stdout.split() == ids, read.stderr


def test_a_version_that_is_overtaken_while_it_is_opened_is_the_one_that_was_asked_for(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(store)
    step(store, 0)
    expected, read, overtaken = id_of(store), versions.read_newest, list[int]()

    @contextmanager
    def read_too_late(late: ModelStore, row: ModelRow) -> Iterator[Newest | None]:
        if not overtaken:
            overtaken.append(row.version)
            for seed in (1, 2):  # which takes the slot of the version
                step(store, seed)
        with read(late, row) as newest:
            yield newest

    monkeypatch.setattr(versions, "read_newest", read_too_late)
    with open_version(store, OWNER, "model", inf, 1) as opened:
        assert (opened.entry.version, params_id(opened.numbers.params)) == (1, expected)
    assert overtaken == [1]


def test_a_reader_recovers_nothing_while_the_writer_still_holds_its_slot(store: ModelStore) -> None:
    """The version is committed, and its slot not released yet: the reader waits, and loses no step."""
    create(store)
    seen, reading = list[tuple[int, str]](), list[Thread]()

    def read() -> None:
        with open_version(store, OWNER, "model", inf) as opened:
            seen.append((opened.row.version, opened.row.slot))

    class Late(Unobserved):
        def on_change(self, kind: str) -> None:
            if kind == "step" and not reading:
                reading.append(Thread(target=read))
                reading[0].start()
                reading[0].join(0.3)  # it waits for the lock of the model

    store.observer = Late()
    step(store, 0, durable=False)
    row = store.find(OWNER, "model")
    reading[0].join()
    assert seen == [(1, row.slot)] and store.find(OWNER, "model") == row
    assert [entry["kind"] for entry in read_ledger(store, OWNER, "model", -1, 9)] == ["created", "step"]


def test_a_replay_waits_for_other_computations(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    create(store)
    for seed in range(3):
        step(store, seed)
    expected, refused = id_of(store, version=2), list[int]()

    def compute(work: StepWork, numbers: Numbers) -> GradientsResult:
        if len(refused) < 4:
            refused.append(1)
            raise Overloaded(1)
        return compute_gradients(work, numbers)

    monkeypatch.setattr(replay, "compute_gradients", compute)
    assert id_of(store, version=2) == expected and len(refused) == 4
    refused.clear()
    with pytest.raises(Overloaded):
        call_until(0.0, lambda: id_of(store, version=2))


def test_steps_that_a_newer_bound_would_refuse_are_replayed(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = {
        "inputs": {"x": {"shape": [2]}, "t": {"shape": [1]}},
        "nodes": [
            {"name": "score", "kind": "linear", "inputs": ["x"], "config": {"units": 1}},
            {"name": "loss", "kind": "binary_nll", "inputs": ["score", "t"]},
        ],
    }
    sgd = {"kind": "sgd", "config": {"learning_rate": 0.1}}
    creations.create(store, OWNER, "model", CreateRequest(spec, sgd), inf)
    arrays = {"data/x": np.array([[1.0, 2.0], [3.0, 4.0]]), "data/t": np.array([[1.0], [-1.0]])}
    compiled, ids = store.compile_network, list[str]()
    with monkeypatch.context() as before:
        before.setattr(store, "compile_network", lambda spec: compiled(spec).without_bounds())
        for _ in range(3):
            step(store, 0, arrays=arrays)
            ids.append(id_of(store))
    with pytest.raises(Refused, match="expected numbers from 0 to 1"):
        step(store, 0, arrays=arrays)
    assert [id_of(store, version=version) for version in (1, 2, 3)] == ids
    for slot in store.folder_of(store.find(OWNER, "model").id).slots.iterdir():
        slot.unlink()
    assert id_of(store) == ids[-1]  # computed again from the ledger
    step(store, 0, arrays=arrays | {"data/t": np.ones((2, 1))})


def test_a_reader_keeps_its_version_while_others_step(store: ModelStore) -> None:
    create(store)
    step(store, 0)
    before = id_of(store)
    with open_version(store, OWNER, "model", inf) as opened:
        for seed in range(1, 5):
            step(store, seed)
        assert params_id(opened.numbers.params) == before
        assert (opened.row.version, opened.entry.version) == (1, 1)
        assert not any(array.flags.writeable for array in opened.numbers.params.values())
    assert same(numbers_of(store), numbers_of(store, version=5))


def test_readers_get_whole_versions_while_threads_step(store: ModelStore) -> None:
    create(store)
    found = dict[int, str]()

    def read() -> None:
        for _ in range(60):
            with open_version(store, OWNER, "model", inf) as opened:
                found[opened.entry.version] = params_id(opened.numbers.params)

    writers = [Thread(target=lambda n=n: [step(store, 10 * n + k) for k in range(10)]) for n in range(3)]
    threads = [*writers, *(Thread(target=read) for _ in range(3))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.find(OWNER, "model").version == 30
    assert found == {version: id_of(store, version=version) for version in found}


def test_a_version_that_is_not_there_is_said(store: ModelStore) -> None:
    create(store)
    with pytest.raises(VersionNotFound, match="0 to 0, not 7"):
        id_of(store, version=7)
    delete(store, OWNER, "model", inf)
    with pytest.raises(ModelNotFound):
        id_of(store)


@pytest.fixture
def short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelStore]:
    """A store that takes a snapshot before every step, and keeps little; large batches go to segments."""
    monkeypatch.setattr(newest, "REPLAY_SECONDS", 0.0)
    monkeypatch.setattr(newest, "REPLAY_SNAPSHOTS", 0)
    monkeypatch.setattr(batches, "INLINE_BYTES", 1000)
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 4000)
    store = open_store(tmp_path / "short", limits=StoreLimits(history_bytes=12_000))
    create(store)
    yield store
    store.database.close()


def test_versions_of_long_ago_expire_with_their_files(short: ModelStore) -> None:
    ids = [id_of(short)]
    for seed in range(12):
        step(short, seed, arrays=batch(seed, 40))
        ids.append(id_of(short))
    row, folder = short.find(OWNER, "model"), short.folder_of(short.find(OWNER, "model").id)
    assert 0 < row.floor < 11 and describe(short, OWNER, "model")["earliest_version"] == row.floor
    assert [id_of(short, version=v) for v in range(row.floor, 13)] == ids[row.floor :]
    for version in (0, row.floor - 1):
        with pytest.raises(VersionExpired, match=f"the earliest is {row.floor}"):
            id_of(short, version=version)
        with pytest.raises(VersionExpired):
            restore(short, OWNER, "model", version, inf)
    sweep(short)
    with short.database.reading() as transaction:
        used = entries.segments(transaction, row.id)
    assert set(os.listdir(folder.segments)) == used and 0 < len(used) < 12
    assert len(os.listdir(folder.snapshots)) == 12 - row.floor
    on_disk = sum(each.stat().st_size for each in folder.snapshots.iterdir())
    assert row.bytes == pytest.approx(3 * on_disk / 2, rel=1)
    assert len(read_ledger(short, OWNER, "model", -1, 99)) == 13


def test_a_version_that_expires_while_it_is_computed_is_said(
    short: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    step(short, 0, arrays=batch(0, 40))
    row = short.find(OWNER, "model")

    def find_early(*arguments: Any) -> replay.Origin:
        """Find the version; then others step on, until it is gone."""
        monkeypatch.undo()
        origin = replay.find_origin(*arguments)
        monkeypatch.setattr(newest, "REPLAY_SECONDS", 0.0)
        monkeypatch.setattr(newest, "REPLAY_SNAPSHOTS", 0)
        for seed in range(1, 12):
            step(short, seed, arrays=batch(seed, 40))
        sweep(short)
        return origin

    for version in (0, 1):
        monkeypatch.setattr(versions, "find_origin", find_early)
        with pytest.raises(VersionExpired), versions.reproduce(short, row, version):
            pass


def test_large_batches_make_a_snapshot_due(tmp_path: Path) -> None:
    store = open_store(tmp_path / "large", limits=StoreLimits(history_bytes=40_000))
    create(store)
    for seed in range(12):
        step(store, seed, arrays=batch(seed, 60))
    with store.database.reading() as transaction:
        taken = snapshots.every(transaction, store.find(OWNER, "model").id)
    assert [each.version for each in taken] == [0, 4, 8]
    store.database.close()


def test_models_are_described_and_listed(store: ModelStore) -> None:
    for name in ("b", "a", "c"):
        create(store, name, dtype="float32")
    step(store, 0, "b", arrays=batch(0, dtype="float32"))
    assert [each["name"] for each in list_models(store, OWNER, "", 2)] == ["a", "b"]
    assert [each["name"] for each in list_models(store, OWNER, "b", 2)] == ["c"]
    assert not list_models(store, "ben", "", 9)
    description = describe(store, OWNER, "b")
    assert (description["version"], description["step"], description["dtype"]) == (1, 1, "float32")
    assert description["optimizer"]["config"]["eps"] == 1e-8  # defaults are written out
    assert description["bytes"] > 4 * 3 * 67


@pytest.fixture
def without_layers(store: ModelStore) -> Iterator[ModelStore]:
    """The same folder in a process without the layers of its models, of which one has taken a step."""
    create(store, "a", dtype="float32")
    create(store, "b", optimizer={"kind": "sgd", "config": {"learning_rate": 0.5}})
    step(store, 0, "b")
    other = open_without_layers(store.folder.path)
    yield other
    other.database.close()


def test_models_whose_layers_are_gone_are_described(store: ModelStore, without_layers: ModelStore) -> None:
    gone = {"network_id": None, "unusable": "there is no layer 'linear'"}
    before = list_models(store, OWNER, "", 9)
    assert [each["unusable"] for each in before] == [None, None]
    assert list_models(without_layers, OWNER, "", 9) == [each | gone for each in before]
    for name in ("a", "b"):
        assert describe(without_layers, OWNER, name) == describe(store, OWNER, name) | gone


def test_models_whose_optimizer_is_gone_are_described(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(store)
    before, other = describe(store, OWNER, "model"), open_store(store.folder.path)
    monkeypatch.setattr(other, "_read_rule", vars(open_without_layers(store.folder.path))["compile_network"])
    assert describe(other, OWNER, "model") == before | {"unusable": "there is no layer 'linear'"}
    other.database.close()


def test_a_model_without_its_layers_is_read_and_deleted(
    store: ModelStore, without_layers: ModelStore
) -> None:
    """Its newest version is in its slot; the layout of the slot is that of its last snapshot."""
    assert same(numbers_of(without_layers, "b"), numbers_of(store, "b"))
    with pytest.raises(Refused, match="no layer 'linear'"):
        step(without_layers, 1, "b")
    delete(without_layers, OWNER, "b", inf)
    assert [each["name"] for each in list_models(without_layers, OWNER, "", 9)] == ["a"]


def test_without_layer_and_snapshot_a_model_is_still_listed(
    store: ModelStore, without_layers: ModelStore
) -> None:
    for path in store.folder.models.glob("*/snapshots/*"):
        path.unlink()
    assert [each["bytes"] for each in list_models(without_layers, OWNER, "", 9)] == [None, None]


def test_a_model_that_is_deleted_as_models_are_listed_breaks_no_list(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        create(store, name)
    network_of = store.network_of

    def delete_next(row: ModelRow) -> Any:
        if row.name == "a":
            delete(store, OWNER, "b", inf)
        return network_of(row)

    monkeypatch.setattr(store, "network_of", delete_next)
    assert [each["name"] for each in list_models(store, OWNER, "", 9)] == ["a", "b", "c"]


def test_the_ledger_is_paged(store: ModelStore) -> None:
    create(store, seed=3)
    answers = [step(store, seed) for seed in range(4)]
    pages = [read_ledger(store, OWNER, "model", after, 3) for after in (-1, 2)]
    assert [[entry["version"] for entry in page] for page in pages] == [[0, 1, 2], [3, 4]]
    assert pages[0][0] == {"version": 0, "kind": "created", "step": 0, "seed": 3}
    assert pages[0][1] == {
        "version": 1, "kind": "step", "step": 1, "loss": answers[0]["loss"], "reduction": "mean",
        "gradient_norm": answers[0]["gradient_norm"], "learning_rate": 0.01,
    }  # fmt: skip


def test_slow_readers_hold_so_many_slots_and_steps_go_on(store: ModelStore) -> None:
    create(store)
    slots = store.folder_of(store.find(OWNER, "model").id).slots
    with ExitStack() as held:
        for seed in range(MOST_HELD):
            held.enter_context(open_version(store, OWNER, "model", inf))
            step(store, seed)
        for seed in range(3):
            with pytest.raises(LockBusy, match="slow readers"):
                id_of(store)
            with pytest.raises(LockBusy, match="slow readers"):
                id_of(store, version=1)
            step(store, seed)
        assert len(os.listdir(slots)) == MOST_HELD + 2  # the newest version, and the one that is written
    assert id_of(store) == id_of(store, version=MOST_HELD + 3)


def test_slow_readers_of_early_versions_hold_so_many_files(store: ModelStore) -> None:
    create(store)
    step(store, 0)
    with ExitStack() as held:
        for _ in range(MOST_HELD):
            held.enter_context(open_version(store, OWNER, "model", inf, 0))
        with pytest.raises(LockBusy, match="slow readers"):
            id_of(store, version=0)
        step(store, 1)
    assert id_of(store, version=0) != id_of(store)


def test_readers_leave_the_room_that_a_step_needs(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last free bytes of the disk are for the slot that a step writes, not for one more that is read."""
    create(store)
    checked = list[int]()
    monkeypatch.setattr(versions, "check_disk", lambda path, limits, size: checked.append(size))
    row = store.find(OWNER, "model")
    slot = store.folder_of(row.id).slots / row.slot
    with open_version(store, OWNER, "model", inf):
        assert checked == []  # readers of the newest version alone also go on where the disk is full
        step(store, 0)
        with open_version(store, OWNER, "model", inf):
            assert checked == [2 * slot.stat().st_size]
        with open_version(store, OWNER, "model", inf, 0):
            assert checked == 2 * [2 * slot.stat().st_size]
