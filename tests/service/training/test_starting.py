"""The store of a trainer is that of the service, computed with at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.models import OWNER, create, id_of
from support.runs import add_dataset, start, train

from deltawire_service.app import create_app
from deltawire_service.observability.metrics import Metrics
from deltawire_service.settings import Settings
from deltawire_service.training.starting import make_store


def test_a_trainer_and_a_service_share_a_folder(tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path / "store"), log_level="error")
    service = create_app(settings).extensions["deltawire"].models
    create(service)
    add_dataset(service)
    start(service)
    metrics = Metrics(lambda: 0)
    store = make_store(settings, metrics)
    train(store)
    assert service.find(OWNER, "model").version == 7
    assert id_of(service) == id_of(store)
    assert store.fingerprint == service.fingerprint
    text = metrics.text("")[0].decode()
    assert 'deltawire_model_changes_total{kind="step"} 7.0' in text
    assert "deltawire_plan_bytes_count" in text
    service.close()
    store.close()


@pytest.mark.skipif(not hasattr(os, "SCHED_IDLE"), reason="the system has no such policy")
def test_the_trainer_gives_way_to_every_other_process() -> None:
    program = (
        "from deltawire_service.training.__main__ import give_way\n"
        "import os\n"
        "give_way()\n"
        "print(os.sched_getscheduler(0) == os.SCHED_IDLE, os.nice(0))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert printed.split() == ["True", "19"]
