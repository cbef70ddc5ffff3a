"""A process dies before every line of a change of a model: it is made whole, or not at all.

    PYTHONPATH=tests python -m torture.crashes [--short]

Each change is traced once. Then it is made in a child that gets SIGKILL before the first, the second or the
last execution of one line of the store, the models or the optimizers, for each line that it executes. Another
process looks: the newest version reads as it must, and the request that comes again with its Idempotency-Key
is answered, with the change made exactly once. The short form kills at some of these places.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from support.dying import dies_before, executions
from support.model_changes import CASES, Case, Trial, with_small_limits
from torture.load import arguments, report

MEMORY = Path("/dev/shm")
"""A process that dies loses nothing that the system has, so it need not be a disk."""


def kill_everywhere(case: Case, folder: Path, first: int = 0, stride: int = 1) -> tuple[int, list[str]]:
    """Kill a change before its lines, and return how many times, and what was wrong afterwards.

    first, stride: the places at which it is killed, of all that there are.
    """
    trial, wrong = Trial(case, folder), list[str]()
    with trial.fresh() as store:
        places = executions(lambda: case.change(store))[first::stride]
    for place in places:
        with trial.fresh() as store:
            if not dies_before(lambda store=store: case.change(store), place):  # type: ignore[misc]
                wrong.append(f"{place}: it was not reached")
        with trial.opened() as store:
            wrong += [f"{place}: {problem}" for problem in trial.problems(store)]
    return len(places), wrong


def main() -> None:
    given = arguments("crashes")
    with_small_limits()
    killed, wrong = dict[str, int](), dict[str, list[str]]()
    stride = 29 if given.short else 1
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        for name, case in CASES.items():
            found = kill_everywhere(case, Path(folder) / "store", given.seed % stride, stride)
            killed[name], wrong[name] = found
    figures = {"seed": given.seed, "killed": killed, "wrong": wrong}
    report(figures, {f"whole: {name}": not found for name, found in wrong.items()})


if __name__ == "__main__":
    main()
