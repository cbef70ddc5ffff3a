"""The memory of a process that is no mapped file, sampled while something runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread


def anonymous(pid: int) -> int:
    """Return the bytes of a process's memory that are no mapped file."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0]) * 1024


class Peak:
    """The most that a process has had. Attributes: before, most: bytes at the beginning, and at the peak."""

    def __init__(self, pid: int):
        self.before = self.most = anonymous(pid)

    @property
    def growth(self) -> int:
        """The bytes by which it grew, at most."""
        return self.most - self.before


@contextmanager
def peak_of(pid: int) -> Iterator[Peak]:
    """Sample the memory of a process while the block runs."""
    peak, done = Peak(pid), Event()

    def sample() -> None:
        while not done.wait(0.005):
            peak.most = max(peak.most, anonymous(pid))

    sampler = Thread(target=sample)
    sampler.start()
    try:
        yield peak
    finally:
        done.set()
        sampler.join()
