"""Answers are kept for a time in which the service is up, and so many of each owner."""

from __future__ import annotations

import pytest

from deltawire_service.store import stored_answers as module
from deltawire_service.store.database import Database
from deltawire_service.store.limits import StoreLimits
from deltawire_service.store.stored_answers import StoredAnswers
from deltawire_service.store.tables import idempotency_keys
from deltawire_service.store.tables.idempotency_keys import RequestKey


class Clock:
    """The clock of the machine."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.now = 1000.0
        monkeypatch.setattr(module, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def insert(database: Database, answers: StoredAnswers, key: int, owner: str = "anna") -> None:
    with database.writing() as transaction:
        answers.insert(transaction, RequestKey(owner, str(key), b"digest"), "1a", "{}")


def known(database: Database, owner: str = "anna") -> list[int]:
    with database.reading() as transaction:
        keys = [RequestKey(owner, str(key), b"digest") for key in range(99)]
        return [int(key.key) for key in keys if idempotency_keys.find(transaction, key)]


def test_an_owner_has_so_many_answers(database: Database, clock: Clock) -> None:
    answers = StoredAnswers(StoreLimits(keys_per_owner=5))
    for key in range(20):
        insert(database, answers, key)
        insert(database, answers, key, f"owner {key}")
    assert known(database) == list(range(15, 20))
    assert known(database, "owner 3") == [3]


def test_an_answer_is_kept_for_a_day_in_which_the_service_is_up(database: Database, clock: Clock) -> None:
    limits = StoreLimits(key_seconds=3600)
    answers = StoredAnswers(limits)
    insert(database, answers, 0)
    clock.now += 3500
    insert(database, answers, 1)
    clock.now += 10**6
    answers = StoredAnswers(limits)  # the service was down all the time
    insert(database, answers, 2)
    assert known(database) == [0, 1, 2]
    clock.now += 200
    insert(database, answers, 3)
    assert known(database) == [1, 2, 3]


def test_a_sweep_removes_the_answers_of_owners_who_come_no_more(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PORTION", 3)
    answers = StoredAnswers(StoreLimits(key_seconds=3600))
    for key in range(10):
        insert(database, answers, key)
    clock.now += 3700
    insert(database, answers, 0, "ben")
    answers.prune(database)
    assert (known(database), known(database, "ben")) == ([], [0])
