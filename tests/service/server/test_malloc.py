"""Freed memory is kept from one computation to the next, and given back when none comes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what glibc does")

PROGRAM = """
import resource, sys, time
from pathlib import Path
import numpy as np
from deltawire_service.server.malloc import IdleTrim, keep_memory

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def resident():
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) / 1024

keep_memory()
trim = IdleTrim(idle_seconds=0.3)
for _ in range(3):
    np.ones(2_000_000)
before = faults()
for _ in range(20):
    np.ones(2_000_000)
again = faults() - before
arrays = [np.ones(2_000_000) for _ in range(10)]
high = resident()
del arrays
kept = resident()
trim.ended()
time.sleep(1.5)
print(again, high - kept, high - resident())
"""


def measured(**variables: str) -> tuple[float, ...]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=True,
        env=environment | variables,
    )
    return tuple(map(float, run.stdout.split()))


def test_memory_is_kept_and_returned_when_idle() -> None:
    faults, freed_at_once, freed_when_idle = measured()
    assert faults < 100  # 20 × 16 MB would be 80,000 pages
    assert freed_at_once < 10 and freed_when_idle > 130  # of 160 MB


def test_the_environment_has_the_last_word() -> None:
    faults, freed_at_once, _ = measured(MALLOC_MMAP_THRESHOLD_="65536")
    assert faults > 1000 and freed_at_once > 130
