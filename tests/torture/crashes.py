"""A process dies before every single line of a change of a model: it is made whole, or not at all.

    PYTHONPATH=tests python -m torture.crashes [--short]

Each change is made in a child that gets SIGKILL before its first, second, … line of the store, the models and
the optimizers. Then another process looks: the newest version reads as it must, and the request that comes
again with its Idempotency-Key is answered, with the change made exactly once.
"""

from __future__ import annotations

import tempfile
from itertools import count
from pathlib import Path

from support.dying import dies_before_line
from support.model_changes import CASES, Case, Trial, with_small_limits
from torture.load import arguments, report

MEMORY = Path("/dev/shm")
"""A process that dies loses nothing that the system has, so it need not be a disk."""


def kill_everywhere(case: Case, folder: Path, first: int, stride: int) -> tuple[int, list[str]]:
    """Kill a change before its lines, and return how many times, and what was wrong afterwards.

    first, stride: the lines.
    """
    trial, wrong = Trial(case, folder), list[str]()
    for tried, line in enumerate(count(first, stride)):
        with trial.fresh() as store:
            died = dies_before_line(lambda store=store: case.change(store), line)  # type: ignore[misc]
        with trial.opened() as store:
            wrong += [f"line {line}: {problem}" for problem in trial.problems(store)]
        if not died:
            return tried, wrong
    raise AssertionError("a change has no end")


def main() -> None:
    given = arguments("crashes")
    with_small_limits()
    killed, wrong = dict[str, int](), dict[str, list[str]]()
    stride = 97 if given.short else 1
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        for name, case in CASES.items():
            first = 1 + given.seed % stride
            killed[name], wrong[name] = kill_everywhere(case, Path(folder) / "store", first, stride)
    figures = {"seed": given.seed, "killed": killed, "wrong": wrong}
    report(figures, {f"whole: {name}": not found for name, found in wrong.items()})


if __name__ == "__main__":
    main()
