"""Faults of the system in other processes: calls of the C library that fail when a test says so."""

from __future__ import annotations

import errno
import mmap
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

CALLS = (
    *("open", "read", "pread", "write", "accept4", "mmap", "fork", "rename", "fsync", "mkdir", "pipe2"),
    "epoll_create1",
)
"""In the order of faults.c."""

FAULTS = Path(__file__).with_name("faults.c")

MASTER, WORKERS = 1, 2

HEAD, FAULT = struct.Struct("=ii"), struct.Struct("=iiiiqq")
"""The layout of faults.c: master and seed; then, for each call, error, share, nth, who, calls and made."""

ALWAYS = 1_000_000
"""A share of all calls."""


class Fault(NamedTuple):
    """A call that fails.

    Args:
        call: one of `CALLS`.
        error: its errno.
        who: MASTER, WORKERS, or both.
        share: of a million calls; 0 when only the nth fails.
        nth: which call fails, from 1; 0 for a share.
    """

    call: str
    error: int
    who: int = MASTER | WORKERS
    share: int = ALWAYS
    nth: int = 0

    def __str__(self) -> str:
        who = {MASTER: "master", WORKERS: "workers"}.get(self.who, "all")
        often = f"call {self.nth}" if self.nth else f"{self.share / 10_000:g} %"
        return f"{self.call} {errno.errorcode[self.error]} in {who}, {often}"


class Faults:
    """Makes calls fail in the processes that were started with `environ`."""

    def __init__(self, folder: Path):
        self._path = folder / "faults"
        self._path.write_bytes(bytes(4096))
        with self._path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), 4096)
        self.environ = {"LD_PRELOAD": str(library(folder)), "TEST_FAULTS": str(self._path)}

    def begin(self, master: int, seed: int) -> None:
        """Name the master process, and the seed of what fails by chance."""
        HEAD.pack_into(self._page, 0, master, seed % 2**31)

    @contextmanager
    def of(self, fault: Fault) -> Iterator[None]:
        """Make a call fail until the block ends."""
        place = self._place(fault.call)
        # The error last: it is what makes the others count.
        FAULT.pack_into(self._page, place, 0, fault.share, fault.nth, fault.who, 0, 0)
        struct.pack_into("=i", self._page, place, fault.error)
        try:
            yield
        finally:
            struct.pack_into("=i", self._page, place, 0)

    def made(self, call: str) -> int:
        """How often this call failed since its last fault began."""
        return int(FAULT.unpack_from(self._page, self._place(call))[-1])

    def _place(self, call: str) -> int:
        return HEAD.size + CALLS.index(call) * FAULT.size


def library(folder: Path, source: Path = FAULTS) -> Path:
    """Compile a library to preload, and return its path.

    Args:
        folder: where it is made.
        source: its only file.

    Raises:
        RuntimeError: no C compiler is installed.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        raise RuntimeError("a C compiler, `cc`, must be installed: faults of the system are made in C")
    made = folder / f"{source.stem}.so"
    command = [compiler, "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", made, source, "-ldl"]
    subprocess.run(command, check=True)
    return made
