"""Pieces of work that are computed as threads may: in another order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from deltawire_layers import sharing


@contextmanager
def shared(counts: list[int]) -> Iterator[None]:
    """Compute pieces from the last to the first, and note how many there are."""

    def share(functions: Sequence[Callable[[], object]]) -> None:
        counts.append(len(functions))
        for function in reversed(functions):
            function()

    token = sharing.sharing.set(share)
    try:
        yield
    finally:
        sharing.sharing.reset(token)
