"""When a validation is better, and when a run ends early."""

from __future__ import annotations

import pytest

from deltawire_service.schemas.run_requests import EarlyStopping
from deltawire_service.store.tables.runs import Progress
from deltawire_service.training.evaluation import count_misses, has_stopped_early, is_best

STOPPING = EarlyStopping(patience=2, min_delta=0.1, restore_best=True)


@pytest.mark.parametrize(
    ("loss", "best", "stopping", "misses", "is_smallest"),
    [
        (9.0, None, STOPPING, 0, True),
        (0.85, 1.0, STOPPING, 0, True),
        (0.95, 1.0, STOPPING, 4, True),
        (0.95, 1.0, None, 0, True),
        (1.0, 1.0, None, 4, False),
        (1.0, 1.0, STOPPING, 4, False),
    ],
)
def test_the_least_difference_decides_misses_and_not_the_best_loss(
    loss: float, best: float | None, stopping: EarlyStopping | None, misses: int, is_smallest: bool
) -> None:
    progress = Progress(best_loss=best, misses=3)
    assert count_misses(loss, progress, stopping) == misses
    assert is_best(loss, progress) is is_smallest


@pytest.mark.parametrize(("misses", "expected"), [(0, False), (1, False), (2, True), (3, True)])
def test_patience_ends_after_as_many_misses(misses: int, expected: bool) -> None:
    assert has_stopped_early(Progress(misses=misses), STOPPING) is expected
    assert not has_stopped_early(Progress(misses=misses), None)
