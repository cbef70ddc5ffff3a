"""The clock of the machine, set back a day in chosen processes while they go on."""

from __future__ import annotations

from pathlib import Path

from support.faults import library


class SettableClock:
    """The clock of the processes that are started with `environ`. folder: where its files lie."""

    def __init__(self, folder: Path):
        self._set = folder / "clock-is-set-back"
        source = Path(__file__).with_name("clock.c")
        self.environ = {"LD_PRELOAD": str(library(folder, source)), "TEST_CLOCK": str(self._set)}

    def set_back(self) -> None:
        """Set the clock back by a day."""
        self._set.touch()
