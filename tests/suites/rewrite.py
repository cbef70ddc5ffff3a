"""Try every entry of the suites named, print the counts, and write their files of verdicts.

`PYTHONPATH=tests .venv-suites/bin/python -m suites.rewrite torchvision` tries one suite; without names, all.
A suite is the `SUITE` of a file `test_<suite>.py`. Its file of verdicts is left as it was when an entry is
wrong, or was right and is so no more.
"""

from __future__ import annotations

import sys
from collections import Counter
from importlib import import_module
from pathlib import Path

from suites.verdicts import Suite, is_loss, recorded, write


def names() -> list[str]:
    """Return the names of all suites."""
    files = sorted(Path(__file__).parent.glob("test_*.py"))
    return [file.stem.removeprefix("test_") for file in files if "\nSUITE = " in file.read_text()]


def rewritten(suite: Suite) -> list[str]:
    """Try a suite, and write its file unless an entry is lost; return a line for each that is."""
    before = recorded(suite.name)
    verdicts = {}
    for name in suite.entries():
        verdicts[name] = now = suite.verdict(name)
        if now != before.get(name):
            print(f"  {name}: {now}", flush=True)
    counts = Counter(verdict.partition(":")[0] for verdict in verdicts.values())
    print(f"{suite.name}: {len(verdicts)} entries: {dict(counts.most_common())}")
    lost = [
        f"{name}: {before.get(name, 'new')}; now {now}"
        for name, now in verdicts.items()
        if is_loss(before.get(name, ""), now)
    ]
    if not lost:
        write(suite.name, verdicts)
    return lost


def main() -> int:
    lost = []
    for name in sys.argv[1:] or names():
        lost += rewritten(import_module(f"suites.test_{name}").SUITE)
    print(*lost, sep="\n")
    return bool(lost)


if __name__ == "__main__":
    sys.exit(main())
