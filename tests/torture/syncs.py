"""The syncs of a step, as the system sees them: all come before the answer, and there are two at most.

    PYTHONPATH=tests python -m torture.syncs [--short]

A process takes steps under strace, and writes a line before each and after its answer. A step with a small
batch syncs the log of the database; one with a large batch syncs its segment first, in another thread; one
that need not be durable syncs nothing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from support.models import batch, create, open_store, step
from torture.load import arguments, report

from deltawire_service.models import batches

SMALL, LARGE, HASTY = "small", "large", "hasty"
SIZES = {SMALL: 5, LARGE: 60, HASTY: 60}
"""Examples in a batch. The batch of a hasty step, which need not be durable, is not kept."""

EXPECTED = {SMALL: ["database.sqlite3-wal"], LARGE: ["segments", "database.sqlite3-wal"], HASTY: []}
"""The files that a step syncs."""


def work(folder: str, steps: int) -> None:
    """Take steps with small and large batches; this is what runs under strace."""
    batches.INLINE_BYTES = batches.KEPT_BYTES = 2_000  # a segment has its usual size
    store = open_store(Path(folder))
    create(store)
    step(store, 0, arrays=batch(0, SIZES[LARGE]))  # makes the segment
    kinds = [SMALL, LARGE] * (steps // 3) + [HASTY] * (steps // 3)
    for number, kind in enumerate(kinds, 1):
        os.write(1, f"begin {kind}\n".encode())
        arrays = batch(number, SIZES[kind])
        step(store, number, arrays=arrays, key=str(number), durable=kind != HASTY)
        os.write(1, b"answered\n")


def synced_files(trace: str) -> list[tuple[str, list[str]]]:
    """Return the kind of each step in a trace, and the files that were synced before its answer."""
    steps, synced, kind = [], list[str](), ""
    begun = dict[str, str]()  # by thread: a call that another thread's line interrupts
    for line in trace.splitlines():
        thread = line.split()[0]
        if unfinished := re.search(r"(f(?:data)?sync\(\d+<.*>) <unfinished", line):
            begun[thread] = unfinished[1]
        if resumed := re.search(r"<\.\.\. f(?:data)?sync resumed>", line):
            line = line.replace(resumed[0], begun.pop(thread))
        if begin := re.search(r'write\(1<.*>, "begin (\w+)', line):
            kind, synced = begin[1], []
        elif re.search(r'write\(1<.*>, "answered', line):
            steps.append((kind, list(synced)))
        elif found := re.search(r"f(?:data)?sync\(\d+<(.*)>\)\s+= 0", line):
            path = Path(found[1])
            synced.append("segments" if path.parent.name == "segments" else path.name)
    return steps


def main() -> None:
    if sys.argv[1:2] == ["work"]:
        work(sys.argv[2], int(sys.argv[3]))
        return
    given = arguments("syncs")
    steps = 40 if given.short else 2000
    strace = shutil.which("strace")
    if strace is None:
        raise SystemExit("strace must be installed")
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace"
        command = [strace, "-f", "-y", "-e", "trace=write,fsync,fdatasync", "-o", str(trace)]
        command += [sys.executable, "-m", "torture.syncs", "work", f"{folder}/store", str(steps)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        found = synced_files(trace.read_text())
    # A long log is copied back before a step, and a full segment makes a new one: both are rare.
    more = [synced for kind, synced in found if synced != EXPECTED[kind]]
    late = [synced for kind, synced in found if kind != HASTY and synced[-1:] != EXPECTED[kind][-1:]]
    figures = {"steps": len(found), "more syncs": more, "late": late}
    reached = {
        "all steps were traced": len(found) == steps // 3 * 3,
        "the log is synced last, before the answer": not late,
        "more than two syncs are rare": len(more) <= 2 + len(found) / 100,
    }
    report(figures, reached)


if __name__ == "__main__":
    main()
