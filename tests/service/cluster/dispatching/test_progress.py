"""When a run stands still, by a clock that the test moves."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

pytestmark = pytest.mark.cluster


def test_a_run_stands_still_only_after_some_tasks_have_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    from deltawire_service.cluster.dispatching import progress
    from deltawire_service.cluster.dispatching.progress import STILL_FACTOR, STILL_SECONDS, Progress

    clock, tasks = [100.0], [Mock(status="pending") for _ in range(3)]
    monkeypatch.setattr(progress, "monotonic", lambda: clock[0])
    run = Progress(tasks)
    clock[0] += 1000  # a request may just be large
    assert not run.stands_still()
    run = Progress(tasks)
    for task in tasks[:2]:
        clock[0] += 2
        task.status = "finished"
        assert not run.stands_still()
    clock[0] += STILL_SECONDS + 4 * STILL_FACTOR - 0.1
    assert not run.stands_still()
    clock[0] += 0.2
    assert run.stands_still()
    tasks[2].status = "finished"
    assert not run.stands_still()
