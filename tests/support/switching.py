"""How long a piece of work keeps other threads of its process from running."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


def longest_hold(work: Callable[[], object]) -> float:
    """Return the longest time, in seconds of the processor, for which another thread did not run.

    Processor time, so that other programs on the machine do not count.
    """
    gaps, done = [0.0], threading.Event()

    def tick() -> None:
        before = time.process_time()
        while not done.is_set():
            time.sleep(0.001)
            now = time.process_time()
            gaps.append(now - before)
            before = now

    other = threading.Thread(target=tick)
    other.start()
    try:
        work()
    finally:
        done.set()
        other.join()
    return max(gaps)
