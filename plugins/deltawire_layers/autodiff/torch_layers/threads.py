"""Let torch compute in the calling thread alone, for equal bits beside the threads of the engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from deltawire_layers.autodiff.torch_layers.module import torch


class Threads:
    """The number of torch's threads, which belongs to the process: put aside while any call computes."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.calls = 0
        self.before = 1

    def enter(self) -> None:
        """Put the number aside, if no other call has."""
        with self.lock:
            if not self.calls:
                self.before = torch.get_num_threads()
            self.calls += 1
            torch.set_num_threads(1)

    def leave(self) -> None:
        """Restore the number after the last call."""
        with self.lock:
            self.calls -= 1
            if not self.calls:
                torch.set_num_threads(self.before)


_threads = Threads()


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute in this thread alone until the block ends."""
    _threads.enter()
    try:
        yield
    finally:
        _threads.leave()
