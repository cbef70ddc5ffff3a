"""Changes of models stay whole: some of the places where they are killed, and where the disk fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.model_changes import CASES, with_small_limits
from torture.crashes import kill_everywhere
from torture.disk_faults import fail_everywhere

from deltawire_service.models import batches, newest
from deltawire_service.store import segments


@pytest.fixture(autouse=True)
def small_limits() -> Iterator[None]:
    before = segments.SEGMENT_BYTES, batches.INLINE_BYTES, batches.KEPT_BYTES, newest.REPLAY_SECONDS
    with_small_limits()
    yield
    segments.SEGMENT_BYTES, batches.INLINE_BYTES, batches.KEPT_BYTES, newest.REPLAY_SECONDS = before


@pytest.mark.parametrize("name", CASES)
def test_a_process_that_dies_leaves_a_change_whole(name: str, tmp_path: Path) -> None:
    killed, wrong = kill_everywhere(CASES[name], tmp_path / "store", first=50, stride=250)
    assert killed and not wrong


@pytest.mark.parametrize("name", CASES)
def test_a_disk_that_fails_leaves_a_change_whole(name: str, tmp_path: Path) -> None:
    failed, wrong = fail_everywhere(CASES[name], tmp_path / "store", first=11, stride=13)
    assert failed and not wrong
