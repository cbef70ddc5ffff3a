"""Any version is read as it was; the newest one while others write it."""

from __future__ import annotations

import os
import subprocess
import sys
from math import inf
from pathlib import Path
from threading import Thread

import pytest
from support.models import OWNER, batch, create, id_of, numbers_of, same, step

from deltawire_service.models.alterations import delete
from deltawire_service.models.errors import ModelNotFound, VersionNotFound
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.versions import describe, list_models, open_version, read_ledger
from deltawire_service.networks.published import params_id

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
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    read = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert read.stdout.split() == ids, read.stderr


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
