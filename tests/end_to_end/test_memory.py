"""Plans are honest: a request's memory at its peak stays within 1.3 × its plan + 32 MiB."""

from __future__ import annotations

import os

import pytest
from support.memory import MIB, measured
from support.service import running_service

from deltawire import wire

COUNT = 200 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 30


@pytest.mark.parametrize("media_type", wire.MEDIA_TYPES)
def test_peak_memory_is_within_the_plan(
    media_type: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Blocks that are freed go back to the system: a peak must not hide in what a request before left behind.
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "65536")
    monkeypatch.setenv("MALLOC_MMAP_THRESHOLD_", "65536")
    monkeypatch.setenv("DELTAWIRE_LOG_LEVEL", "warning")  # nobody reads the log while it runs
    seed = request.config.option.hypothesis_seed
    with running_service("-w", "1") as url:
        seen = list(measured(url, media_type, seed, COUNT))
    assert any(each.grown > 40 * MIB for each in seen)  # the test has seen something large
    for each in seen:
        assert each.grown <= 1.3 * each.planned + 32 * MIB, each
