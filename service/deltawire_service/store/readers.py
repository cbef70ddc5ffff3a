"""Bounds on what the readers of a model hold: slots and scratch files, which its steps cannot use meanwhile.

A reader holds its file until its answer has been sent, and a slow client takes long. Each version that is
read needs a file of its own. Without a bound, slow clients would fill the disk, and steps would be refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from deltawire_service.store.errors import LockBusy
from deltawire_service.store.forks import at_fork

MOST_HELD = 8
"""Files of a model that the readers of a process hold at once."""


class Readers:
    """The files that the readers of this process hold. Shared between threads.

    Args:
        most: files of one model that may be held at once.
    """

    def __init__(self, most: int = MOST_HELD) -> None:
        self._most = most
        self._forget()
        at_fork(in_child=self._forget)

    def _forget(self) -> None:
        self._held: dict[Path, Counter[str]] = {}
        self._lock = Lock()

    @contextmanager
    def holding(self, folder: Path, name: str) -> Iterator[bool]:
        """Count a file as held until the end. Readers of the same file hold it together.

        Args:
            folder: the folder of the model.
            name: the name of the file.

        Returns:
            Whether the model needs one more file now, because readers hold another one already.

        Raises:
            LockBusy: readers hold as many files of the model as they may.
        """
        with self._lock:
            held = self._held.setdefault(folder, Counter())
            surplus = name not in held and bool(held)
            if surplus and len(held) >= self._most:
                raise LockBusy(f"slow readers hold {self._most} versions of this model: try again in 1 s")
            held[name] += 1
        try:
            yield surplus
        finally:
            with self._lock:
                held[name] -= 1
                if not held[name]:
                    del held[name]
                if not held and self._held.get(folder) is held:  # else this process was forked meanwhile
                    del self._held[folder]
