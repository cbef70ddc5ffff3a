"""A private folder that the processes of one service share, in memory where there is room."""

from __future__ import annotations

import atexit
import os
from collections.abc import Sequence
from pathlib import Path
from shutil import rmtree
from tempfile import gettempdir, mkdtemp

MEMORY = "/dev/shm"

PREFIX = "deltawire-metrics-"


def make_folder() -> str | None:
    """Make a folder for this process and its children, removed when this process ends.

    It lies in memory, or below $TMPDIR where there is no room; None when there is room nowhere. Folders of
    services that were killed are removed first.
    """
    places = candidates()
    for place in places:
        sweep(place)
    folder = first_folder(places)
    if folder:
        maker = os.getpid()
        atexit.register(lambda: remove(folder, maker))
    return folder


def candidates() -> list[str]:
    """Return where the folder may lie, the best place first."""
    try:
        return [MEMORY, gettempdir()]
    except FileNotFoundError:  # no folder for temporary files has room
        return [MEMORY]


def first_folder(places: Sequence[str]) -> str | None:
    """Make the folder in the first of these places that has room for it."""
    for place in places:
        try:
            return mkdtemp(prefix=f"{PREFIX}{identity(os.getpid())}-", dir=place)
        except OSError:
            pass
    return None


def remove(folder: str, maker: int) -> None:
    """Remove the folder, unless this is a forked worker that ends."""
    if os.getpid() == maker:
        rmtree(folder, ignore_errors=True)


def sweep(place: str) -> None:
    """Remove the folders of processes that have ended without removing theirs."""
    try:
        folders = list(Path(place).glob(f"{PREFIX}*-*-*-*"))
    except OSError:
        return
    namespace = pid_namespace()
    for folder in folders:
        owner, pid, started = folder.name.removeprefix(PREFIX).split("-")[:3]
        # Elsewhere, in another container, the same number may be that of a process that lives.
        if owner == namespace and pid.isdecimal() and start_time(int(pid)) != started:
            rmtree(folder, ignore_errors=True)


def identity(pid: int) -> str:
    """Return what names a process of this machine for good: its number alone is used again."""
    return f"{pid_namespace()}-{pid}-{start_time(pid)}"


def pid_namespace() -> str:
    """Return the number of the namespace that processes are counted in; 0 where there are none."""
    try:
        return os.readlink("/proc/self/ns/pid").strip("pid:[]")
    except OSError:
        return "0"


def start_time(pid: int) -> str:
    """Return when a process started, in ticks since the machine did; "" when it has ended, 0 if unknown."""
    if not Path("/proc/self/stat").exists():
        return "0"
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]
