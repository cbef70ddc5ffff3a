"""The folder of a service: in memory where there is room, removed with it, or swept by the next one."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import requests
from support.service import children, command, environment, free_port, running_service

from deltawire_service.server import shared_folder
from deltawire_service.server.shared_folder import (
    MEMORY,
    PREFIX,
    first_folder,
    identity,
    pid_namespace,
    start_time,
    sweep,
)


def test_a_process_is_known_by_its_start() -> None:
    assert start_time(os.getpid()) == start_time(os.getpid()) != start_time(1)
    ended = subprocess.Popen(["true"])
    ended.wait()
    assert start_time(ended.pid) == ""


def test_a_machine_without_room_for_temporary_files_has_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(shared_folder, "gettempdir", lambda: "/tmp")
    assert shared_folder.candidates() == [MEMORY, "/tmp"]
    monkeypatch.setattr(shared_folder, "gettempdir", no_room)
    assert shared_folder.candidates() == [MEMORY]


def test_only_folders_of_processes_that_have_ended_are_swept(tmp_path: Path) -> None:
    namespace, me = pid_namespace(), os.getpid()
    kept = [
        f"{PREFIX}{identity(me)}-abc",
        f"{PREFIX}1{namespace}-{me}-1-abc",  # of another container
        f"{PREFIX}{namespace}-me-1-abc",
        "deltawire-metrics-abc",
        f"other-{namespace}-{me}-1-abc",
    ]
    gone = [f"{PREFIX}{namespace}-{me}-1-abc", f"{PREFIX}{namespace}-{2**22 + 1}-1-a_c"]
    for name in kept + gone:
        (tmp_path / name).mkdir()
        (tmp_path / name / "1-ab.json").write_text("[]")
    sweep(str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)
    sweep(str(tmp_path / "nowhere"))


def test_the_first_place_with_room_is_taken(tmp_path: Path) -> None:
    folder = first_folder(["/proc", str(tmp_path)])
    assert folder and Path(folder).parent == tmp_path
    assert first_folder(["/proc", str(tmp_path / "nowhere")]) is None


def folders() -> set[Path]:
    return set(Path("/dev/shm").glob(f"{PREFIX}{pid_namespace()}-*"))


def test_what_a_killed_service_leaves_is_swept_by_the_next_start() -> None:
    port, before = free_port(), folders()
    service = subprocess.Popen(command(port, "-w", "1"), env=environment(), start_new_session=True)
    try:
        end = time.monotonic() + 20
        while True:
            try:
                requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5)
                break
            except requests.ConnectionError:
                assert time.monotonic() < end
                time.sleep(0.05)
        (left,) = (path for path in folders() - before if f"-{service.pid}-" in path.name)
    finally:
        os.killpg(service.pid, signal.SIGKILL)
        service.wait()
    assert left.is_dir()
    with running_service("-w", "1"):
        assert not left.exists()


def test_without_room_for_files_it_starts_replaces_workers_and_reloads() -> None:
    """/proc is a folder in which no file can be made."""
    with running_service("-w", "1", "--worker-tmp-dir", "/proc") as service:
        for how in (signal.SIGHUP, signal.SIGKILL):
            (worker,) = children(service.pid)
            os.kill(service.pid if how is signal.SIGHUP else worker, how)
            end = time.monotonic() + 8
            while (now := children(service.pid)) == {worker} or len(now) != 1:
                assert time.monotonic() < end
                time.sleep(0.02)
            time.sleep(0.5)
            assert requests.get(f"{service}/livez", timeout=5).ok
        assert '"level": "critical"' not in service.log()
