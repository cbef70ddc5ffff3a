"""The trainer beside gunicorn's workers: started, started again, and ended with the service."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import requests
from support.http_models import ADAM, SPEC
from support.models import open_store
from support.runs import add_dataset, examples, wait_for
from support.service import Service, children, running_service

from deltawire_service.server import trainer_process
from deltawire_service.server.trainer_process import TrainerProcess, keep_trainer

LOG = logging.getLogger("test")


def sleeping_trainer(program: str = "import time; time.sleep(60)") -> TrainerProcess:
    """A trainer that takes no runs."""
    return TrainerProcess([sys.executable, "-c", program])


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer_process, "RETRY_SECONDS", 0.0)


def test_it_is_started_again_when_it_has_died() -> None:
    trainer = sleeping_trainer()
    assert trainer.pid is None
    trainer.keep_alive(LOG)
    first = trainer.pid
    trainer.keep_alive(LOG)
    assert trainer.pid == first is not None
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: not trainer.is_alive())
    trainer.keep_alive(LOG)
    assert trainer.pid not in (None, first)
    trainer.stop(monotonic() + 10)
    assert not trainer.is_alive()
    trainer.keep_alive(LOG)
    assert trainer.pid is None


def test_it_is_not_started_twice_in_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer_process, "RETRY_SECONDS", 60.0)
    trainer = sleeping_trainer("pass")
    trainer.keep_alive(LOG)
    wait_for(lambda: not trainer.is_alive())
    trainer.keep_alive(LOG)
    assert trainer.pid is None


@pytest.mark.parametrize(
    ("code", "expected"), [(3, [1, 2, 4, 5, 5]), (-signal.SIGKILL, [1, 1, 1]), (0, [1, 1, 1])]
)
def test_starts_that_fail_are_tried_less_and_less_often(
    monkeypatch: pytest.MonkeyPatch, code: int, expected: list[int]
) -> None:
    now, starts = 0.0, list[float]()

    class Ended:
        pid = 1
        returncode = code

        def __init__(self, *arguments: Any, **options: Any):
            starts.append(now)

        def poll(self) -> int:
            return code

    monkeypatch.setattr(trainer_process, "RETRY_SECONDS", 1.0)
    monkeypatch.setattr(trainer_process, "MOST_RETRY_SECONDS", 5.0)
    monkeypatch.setattr(trainer_process, "monotonic", lambda: now)
    monkeypatch.setattr(subprocess, "Popen", Ended)
    trainer = TrainerProcess(["trainer"])
    while len(starts) <= len(expected):
        trainer.keep_alive(LOG)
        now += 0.5
    assert [later - earlier for earlier, later in pairwise(starts)] == expected


def test_it_ends_by_force_where_it_goes_on() -> None:
    program = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1); time.sleep(60)"
    trainer = sleeping_trainer(program)
    trainer.keep_alive(LOG)
    trainer.stop(monotonic() + 0.2)
    wait_for(lambda: not trainer.is_alive())


def test_a_system_without_room_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    trainer = TrainerProcess(["/no/such/program"])
    trainer.keep_alive(LOG)
    assert "cannot be started for now" in caplog.text and trainer.pid is None


def test_the_master_looks_after_it_with_its_workers() -> None:
    class Master:
        log = LOG
        looked = 0

        def manage_workers(self) -> None:
            self.looked += 1

    master: Any = Master()
    trainer = sleeping_trainer()
    keep_trainer(master, trainer)
    master.manage_workers()
    assert master.looked == 1 and trainer.is_alive()
    trainer.stop(monotonic() + 10)


@pytest.mark.servers
def test_a_service_takes_runs_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    """The trainer is killed once, and the service stopped once, while a run goes on."""
    folder = tmp_path / "store"
    store = open_store(folder)
    add_dataset(store, examples(2000), owner="")
    store.close()
    with running_service("-w", "1", data_dir=str(folder), trainer="true") as url:
        for name in ("model", "twin"):
            document = {"name": name, "network": SPEC, "optimizer": ADAM}
            requests.post(f"{url}/v1/models", json=document, timeout=30).raise_for_status()
        recipe = {"dataset": "table", "batch_size": 2, "epochs": 4}
        run = requests.post(f"{url}/v1/models/model/runs", json=recipe, timeout=30).json()["id"]
        wait_for(lambda: describe(url, run)["steps"] > 0)
        (trainer,) = (pid for pid in children(url.pid) if "deltawire_service.training" in arguments(pid))
        os.kill(trainer, signal.SIGKILL)
        before = describe(url, run)["steps"]
        wait_for(lambda: describe(url, run)["steps"] > before)
        counted = 'deltawire_model_changes_total{kind="step"}'
        wait_for(lambda: counted in requests.get(f"{url}/metrics", timeout=30).text)
    with running_service("-w", "1", data_dir=str(folder), trainer="true") as url:
        wait_for(lambda: describe(url, run)["state"] == "finished")
        twin = requests.post(f"{url}/v1/models/twin/runs", json=recipe, timeout=30).json()["id"]
        wait_for(lambda: describe(url, twin)["state"] == "finished")
        ids = {params_id(url, name) for name in ("model", "twin")}
    assert len(ids) == 1


def describe(url: Service, run: str) -> dict[str, Any]:
    return dict(requests.get(f"{url}/v1/runs/{run}", timeout=30).json())


def params_id(url: Service, name: str) -> str:
    return str(requests.get(f"{url}/v1/models/{name}/params", timeout=30).json()["origin"]["params_id"])


def arguments(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()
