"""What processes tell each other of what they have counted, and what stays of it when they end."""

from __future__ import annotations

import json
import os
from errno import ENOSPC
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.posting import good

from deltawire_service import gunicorn_conf
from deltawire_service.admission.memory_shares import MemoryShares
from deltawire_service.app import create_app
from deltawire_service.observability.multiprocess_metrics import (
    ENDED,
    Counts,
    MultiprocessCounts,
    _locked,
    read,
    tidy,
    total,
)
from deltawire_service.settings import Settings

LABELS = ("/v1/gradients", "200", "")


def own_file(folder: Path) -> Path:
    (file,) = folder.glob(f"{os.getpid()}-*.json")
    return file


def counts(number: float, now: float) -> Counts:
    return Counts({"requests": {LABELS: [number]}, "sizes": {(): [1, 0, 0.1]}}, {"queue": {(): [now]}})


def test_what_is_written_is_read_as_it_was() -> None:
    assert read(counts(2**53, 0.1).written()) == counts(2**53, 0.1)


def test_a_total_has_the_series_of_all() -> None:
    other = Counts({"requests": {("none", "404", "not_found"): [3]}}, {})
    assert total([counts(2, 1), other, counts(5, 2)]) == Counts(
        {"requests": {LABELS: [7], ("none", "404", "not_found"): [3]}, "sizes": {(): [2, 0, 0.2]}},
        {"queue": {(): [3]}},
    )
    assert total([]) == Counts({}, {})


def test_what_is_told_is_written_first_and_all_are_in_it(tmp_path: Path) -> None:
    own = [counts(1, 1)]
    shared = MultiprocessCounts(str(tmp_path), lambda: own[0])
    (tmp_path / "1.json").write_bytes(counts(10, 2).written())
    own[0] = counts(4, 0)
    assert shared.all() == total([counts(4, 0), counts(10, 2)])
    assert read(own_file(tmp_path).read_bytes()) == counts(4, 0)


def test_without_room_a_process_tells_its_own_counts_and_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, text: bytes) -> None:
        path.touch()
        raise OSError(ENOSPC, "no space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    shared = MultiprocessCounts(str(tmp_path), lambda: counts(4, 0))
    assert shared.all() == counts(4, 0)
    with pytest.raises(OSError, match="no space"):
        shared.write()
    assert not list(tmp_path.iterdir())


def test_of_those_that_have_ended_one_file_stays_without_what_was_then(tmp_path: Path) -> None:
    for process in (1, 2, 3):
        (tmp_path / f"{process}-a.json").write_bytes(counts(process, 1).written())
    (tmp_path / "2-a.new").write_bytes(b"what it was killed over")
    tidy(str(tmp_path), {3})
    tidy(str(tmp_path), {3})
    assert {file.name for file in tmp_path.iterdir()} == {"3-a.json", f"{ENDED}.json"}
    ended = read((tmp_path / f"{ENDED}.json").read_bytes())
    assert ended == Counts({"requests": {LABELS: [3]}, "sizes": {(): [2, 0, 0.2]}}, {})
    tidy(str(tmp_path), ())
    assert read((tmp_path / f"{ENDED}.json").read_bytes()).counted["requests"] == {LABELS: [6]}


def test_whoever_makes_workers_does_not_wait_for_a_reader(tmp_path: Path) -> None:
    (tmp_path / "1.json").write_bytes(counts(1, 1).written())
    with _locked(tmp_path):
        tidy(str(tmp_path), ())
    assert [file.name for file in tmp_path.iterdir()] == ["1.json"]


def test_the_last_moment_of_a_worker_that_ends_is_counted_and_nothing_of_its_parent(tmp_path: Path) -> None:
    app = create_app(Settings(log_level="error"))
    app.test_client().post("/v1/gradients", json=good(), buffered=True)
    metrics = app.extensions["deltawire"].metrics
    metrics.share(str(tmp_path))
    app.test_client().post("/v1/gradients", json=good(), buffered=True)
    worker = SimpleNamespace(app=SimpleNamespace(callable=app), booted=True)
    gunicorn_conf.worker_exit(None, worker)
    (counted, _) = json.loads(own_file(tmp_path).read_text())
    assert counted["requests"] == [[list(LABELS), [1]]]


def test_a_folder_that_is_gone_does_not_end_the_server(tmp_path: Path) -> None:
    logged: list[str] = []
    log = SimpleNamespace(exception=logged.append)
    server = SimpleNamespace(cfg=SimpleNamespace(workers=2), WORKERS={}, log=log)
    server.metrics_folder, server.memory_shares = str(tmp_path / "gone"), MemoryShares()
    gunicorn_conf.child_exit(server, SimpleNamespace(memory_number=1))
    assert logged == ["the counts of ended workers are not added up"]


def test_another_application_is_not_told_of_its_worker() -> None:
    worker = SimpleNamespace(app=SimpleNamespace(callable=lambda environ, start: []), booted=True)
    gunicorn_conf.post_worker_init(worker)
    gunicorn_conf.worker_exit(None, worker)
