"""Where there is no room, who waits or hardly reads goes before who is answered."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from deltawire_service.server.connections.connection import Stage
from deltawire_service.server.connections.room import FRESH, least_claim, oldest_coming

NOW = 1000.0


def connection(
    stage: Stage, age: float, sent: int = 0, taken: int | None = None, busy: bool = False, held: int = 0
) -> Any:
    return SimpleNamespace(
        stage=stage,
        since=NOW - age,
        outgoing=SimpleNamespace(sent=sent),
        upload=SimpleNamespace(received=sent) if stage is Stage.UPLOAD else None,
        taken=taken,
        busy=busy,
        held=held,
    )


@pytest.mark.parametrize(
    "goes, stays",
    [
        (connection(Stage.CLOSING, 0.1), connection(Stage.BODY, 29)),
        (connection(Stage.BODY, 29), connection(Stage.IDLE, 10)),
        (connection(Stage.IDLE, 29), connection(Stage.BODY, 10)),
        (connection(Stage.BODY, 5), connection(Stage.IDLE, FRESH / 2)),
        (connection(Stage.IDLE, FRESH / 2), connection(Stage.SENDING, 20)),
        (connection(Stage.SENDING, 5, sent=1000), connection(Stage.SENDING, 20, sent=5000)),
        (connection(Stage.SENDING, 5, sent=10**6, taken=10**6), connection(Stage.SENDING, 5, sent=1000)),
        (connection(Stage.IDLE, FRESH / 2), connection(Stage.UPLOAD, 20)),
        (connection(Stage.UPLOAD, 5, sent=1000), connection(Stage.SENDING, 20, sent=5000)),
        (connection(Stage.SENDING, 5, sent=1000), connection(Stage.UPLOAD, 5, sent=10**6)),
        (connection(Stage.UPLOAD, 5, sent=10**6, taken=10**6), connection(Stage.UPLOAD, 5, sent=1000)),
        (connection(Stage.SENDING, 5, sent=10**9), connection(Stage.SENDING, 20, busy=True)),
        (connection(Stage.SENDING, 5, sent=10**9), connection(Stage.ANSWERING, 29)),
    ],
    ids=lambda each: f"{each.stage.name} {each.since}",
)
def test_the_first_goes_before_the_second(goes: Any, stays: Any) -> None:
    assert least_claim([goes, stays], NOW) is goes and least_claim([stays, goes], NOW) is goes


def test_who_is_answered_stays() -> None:
    assert least_claim([connection(Stage.ANSWERING, 29)], NOW) is None
    assert least_claim([], NOW) is None


def test_the_oldest_of_the_large_requests_makes_room() -> None:
    small, old = connection(Stage.BODY, 30, held=10), connection(Stage.UPLOAD, 20, held=1000)
    new, busy = connection(Stage.BODY, 10, held=1000), connection(Stage.UPLOAD, 30, held=1000, busy=True)
    answered = connection(Stage.ANSWERING, 30, held=1000)
    assert oldest_coming([new, small, old, busy, answered], 100) is old
    assert oldest_coming([small, busy, answered], 100) is None
