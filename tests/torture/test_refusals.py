"""Refusing costs little: the bodies that were worst, with room for machines that are slower and busy."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.service import running_service
from torture.refusals import LARGEST_BINARY, LARGEST_JSON, MOST_SECONDS, SMALL, cost, refusals

WORST = {
    SMALL: {
        "unknown fields",
        "unknown config",
        "doubling",
        "unknown inputs",
        "globs of wildcards",
        "globs of ranges",
    },
    LARGEST_JSON: {"zeros for a tensor", "rows for a tensor", "empty lists for nodes", "one name", "a kind"},
    LARGEST_BINARY: {"a label at the end", "a byte too many"},
}
ROOM = 3


def test_there_is_something_of_every_size() -> None:
    found = refusals()
    for size, names in WORST.items():
        assert names <= {refusal.name for refusal in found if refusal.most_bytes == size}


@pytest.mark.parametrize("size", list(WORST))
def test_what_was_worst_is_cheap(size: int) -> None:
    chosen = [refusal for refusal in refusals() if refusal.most_bytes == size and refusal.name in WORST[size]]
    with running_service("-w", "1", queue_seconds="10") as service:
        worker = int(Path(f"/proc/{service.pid}/task/{service.pid}/children").read_text().split()[0])
        for refusal in chosen:
            assert cost(service, worker, refusal) < ROOM * MOST_SECONDS[size], refusal.name
