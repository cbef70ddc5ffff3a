"""Workers of a cluster that are killed at random moments."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from support.cluster import Cluster


class Killer:
    """Kills one worker of a cluster after the other, so many in all. Attributes: killed: how many until now.

    dice: chooses the workers and the moments. longest_pause: seconds between two kills, at most. computed:
    returns how many segments workers have computed until now: some more have to be, after each kill.
    """

    def __init__(
        self,
        cluster: Cluster,
        kills: int,
        dice: random.Random,
        longest_pause: float,
        computed: Callable[[], float],
    ):
        self.killed = 0
        self._cluster, self._kills, self._dice, self._longest_pause = cluster, kills, dice, longest_pause
        self._computed = computed

    @property
    def is_done(self) -> bool:
        return self.killed >= self._kills

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Kill until all kills are done, or the block ends."""
        stopped = Event()

        def kill() -> None:
            before = 0.0
            while not self.is_done and not stopped.wait(self._dice.uniform(0, self._longest_pause)):
                if self._computed() > before:
                    before = self._computed()
                    self.killed += self._cluster.kill_worker(self._dice.choice([*self._cluster.workers]))

        thread = Thread(target=kill)
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()
