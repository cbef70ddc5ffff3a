"""When a validation is better, and when a run ends early."""

from __future__ import annotations

import pytest

from deltawire_service.schemas.run_requests import EarlyStopping
from deltawire_service.store.tables.runs import Progress
from deltawire_service.training.evaluation import has_stopped_early, is_better

STOPPING = EarlyStopping(patience=2, min_delta=0.1, restore_best=True)


@pytest.mark.parametrize(
    ("loss", "best", "stopping", "expected"),
    [
        (9.0, None, STOPPING, True),
        (0.85, 1.0, STOPPING, True),
        (0.95, 1.0, STOPPING, False),
        (0.95, 1.0, None, True),
        (1.0, 1.0, None, False),
    ],
)
def test_a_loss_is_better_by_the_least_difference(
    loss: float, best: float | None, stopping: EarlyStopping | None, expected: bool
) -> None:
    assert is_better(loss, Progress(best_loss=best), stopping) is expected


@pytest.mark.parametrize(("misses", "expected"), [(0, False), (1, False), (2, True), (3, True)])
def test_patience_ends_after_as_many_misses(misses: int, expected: bool) -> None:
    assert has_stopped_early(Progress(misses=misses), STOPPING) is expected
    assert not has_stopped_early(Progress(misses=misses), None)
