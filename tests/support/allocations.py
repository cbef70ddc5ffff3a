"""The bytes that Python allocates for something."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from typing import Any


def traced(make: Callable[[], Any]) -> tuple[Any, int]:
    """A value, and the bytes that Python has allocated for it.

    They are the least of four trials, since other threads allocate too.
    """
    make()  # what is allocated once is allocated now
    return min((trial(make) for _ in range(4)), key=lambda value_and_bytes: value_and_bytes[1])


def trial(make: Callable[[], Any]) -> tuple[Any, int]:
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        value = make()
        gc.collect()
        return value, tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
