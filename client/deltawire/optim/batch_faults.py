"""Say of an error in a training loop which rows of the caller's data it means, and when it came."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

from deltawire.errors import DeltawireError, Fault
from deltawire.wire import Array

EXAMPLE = re.compile(r"\bexample (\d+)\b")
"""A row of a batch, as messages name it."""

PLACE = re.compile(r"^/data/([^/]+)/(\d+)(?=/|$)")
"""A row of a batch, as pointers name it."""

MEND = "the training diverged: a smaller learning_rate, or clip_norm=1.0 of the optimizer, may help"


def of_training(
    error: DeltawireError, rows: Array, shared: Collection[str], epoch: int, step: int, taken: int
) -> DeltawireError:
    """Return the same error, with the caller's rows in place of those of the batch.

    Args:
        error: About a batch.
        rows: The row of the data that each example of the batch is, (batch,).
        shared: Names of inputs without an axis of examples.
        epoch: The pass through the data, from 1.
        step: The step within the epoch, from 1.
        taken: Steps that the loop has taken before: without any, nothing can have diverged.
    """
    faults = [_of_data(fault, rows, shared) for fault in error.faults]
    if taken:
        faults = [replace(fault, mend=fault.mend or MEND) if _diverged(fault) else fault for fault in faults]
    first = replace(faults[0], detail=f"{faults[0].detail} (epoch {epoch}, step {step})")
    return error.with_faults([first, *faults[1:]])


def _of_data(fault: Fault, rows: Array, shared: Collection[str]) -> Fault:
    def row(number: str) -> str:
        return str(rows[int(number)]) if int(number) < len(rows) else number

    def place(found: re.Match[str]) -> str:
        return found[0] if found[1] in shared else f"/data/{found[1]}/{row(found[2])}"

    detail = EXAMPLE.sub(lambda found: f"example {row(found[1])}", fault.detail)
    return replace(fault, pointer=PLACE.sub(place, fault.pointer, count=1), detail=detail)


def _diverged(fault: Fault) -> bool:
    return fault.code == "non_finite" and not fault.pointer.startswith("/data/")
