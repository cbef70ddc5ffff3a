"""Plans are honest: a request's memory at its peak stays within 1.3 × its plan + 32 MiB."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).parents[2] / "support" / "memory.py"
COUNT = 200 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 30
MIB = 2**20


def test_peak_memory_is_within_the_plan(request: object) -> None:
    seed = request.config.option.hypothesis_seed  # type: ignore[attr-defined]
    # Blocks that are freed go back to the system, or a peak would hide in what an earlier request left
    # behind.
    environment = os.environ | {"MALLOC_TRIM_THRESHOLD_": "65536", "MALLOC_MMAP_THRESHOLD_": "65536"}
    environment |= {"OPENBLAS_NUM_THREADS": "1"}
    run = subprocess.run(
        [sys.executable, str(PROGRAM), str(seed), str(COUNT)], capture_output=True, text=True, env=environment
    )
    assert run.returncode == 0, run.stderr
    measured = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(measured) == COUNT
    assert any(line["grown"] > 50 * MIB for line in measured)  # the test has seen something large
    for line in measured:
        assert line["grown"] <= 1.3 * line["planned"] + 32 * MIB, line
