"""Control groups, of version 1 or 2: limits of memory and processor, as containers have them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path("/sys/fs/cgroup")
PERIOD = 100_000
"""Microseconds in which a group may use its share of the processor."""


class Group(NamedTuple):
    """A control group, which is one folder for each controller in version 1, and one for all in version 2."""

    folders: tuple[Path, ...]
    memory: Path
    version: int

    def entering(self) -> list[str]:
        """Return the beginning of a command that runs in the group."""
        enter = "".join(f"echo $$ > {folder}/cgroup.procs; " for folder in self.folders)
        return ["sh", "-ec", f'{enter}exec "$@"', "sh"]

    def oom_kills(self) -> int:
        """Return how many processes were killed for lack of memory."""
        file = self.memory / ("memory.oom_control" if self.version == 1 else "memory.events")
        return int(dict(line.split() for line in file.read_text().splitlines())["oom_kill"])

    def peak_bytes(self) -> int | None:
        """Return the most memory that was used at once; None where the kernel does not tell."""
        file = self.memory / ("memory.max_usage_in_bytes" if self.version == 1 else "memory.peak")
        return int(file.read_text()) if file.exists() else None


def make(folders: Sequence[Path], limits: Mapping[Path, str]) -> None:
    """Make the folders of a group, and write its limits into their files. Raises RuntimeError."""
    try:
        for folder in folders:
            folder.mkdir()
        for file, limit in limits.items():
            file.write_text(limit)
    except OSError as error:
        need = f"be root, with {ROOT} to be written to, as in a container with --privileged"
        raise RuntimeError(f"no control group can be made here ({error}): {need}") from error


@contextmanager
def limited(memory: int, cores: float) -> Iterator[Group]:
    """Make a group with these limits, removed when the block ends.

    Args:
        memory: bytes.
        cores: processors, or parts of one.

    Raises:
        RuntimeError: this process may not make groups.
    """
    name, quota = f"deltawire-test-{os.getpid()}", str(int(PERIOD * cores))
    version = 2 if (ROOT / "cgroup.controllers").exists() else 1
    if version == 1:
        folders = (ROOT / "memory" / name, ROOT / "cpu" / name)
        limits = {folders[0] / "memory.limit_in_bytes": str(memory), folders[1] / "cpu.cfs_quota_us": quota}
    else:
        folders = (ROOT / name,)
        limits = {
            ROOT / "cgroup.subtree_control": "+memory +cpu",
            folders[0] / "memory.max": str(memory),
            folders[0] / "memory.swap.max": "0",
            folders[0] / "cpu.max": f"{quota} {PERIOD}",
        }
    try:
        make(folders, limits)
        yield Group(folders, folders[0], version)
    finally:
        for folder in folders:
            if folder.exists():
                folder.rmdir()
