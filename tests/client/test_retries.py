"""Calls are repeated where that can help, within the bounds of `Retries`, and not otherwise."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from deltawire import Client, Fault, Retries, ServiceFailed, TimedOut, Unreachable
from deltawire.errors import ConnectionLost
from deltawire.retries import seconds
from deltawire.transport import Request, Response

UNREACHABLE = Unreachable([Fault("", "unreachable", "no service answers")])
TIMED_OUT = TimedOut([Fault("", "timed_out", "too slow")])
PROBLEM = "application/problem+json"
OURS = {"x-request-id": "of the service", "content-type": PROBLEM}
LATE = Response(504, OURS, b"")
BUSY_OURS = Response(503, OURS, b'{"code": "overloaded"}')
IN_DOUBT = Response(503, OURS, b'{"code": "outcome_unknown"}')


class Scripted:
    """An attempt that goes as the script says: a status, a status with Retry-After, or an error."""

    def __init__(self, *script: Any):
        self.script = list(script)
        self.calls = 0
        self.waits: list[float] = []
        self.now = 0.0

    def __call__(self) -> Response:
        self.calls += 1
        outcome = self.script.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        status, retry_after = outcome if isinstance(outcome, tuple) else (outcome, None)
        return Response(status, {} if retry_after is None else {"retry-after": retry_after}, b"")

    def sleep(self, wait: float) -> None:
        self.waits.append(wait)
        self.now += wait

    def sent(self, retries: Retries, keyed: bool = False) -> Response:
        return retries.send(self, self.sleep, lambda: self.now, keyed=keyed).response


@pytest.mark.parametrize("first", [429, 502, 503, UNREACHABLE])
def test_a_busy_or_unreachable_service_is_tried_again(first: Any) -> None:
    scripted = Scripted(first, 200)
    assert scripted.sent(Retries()).status == 200
    assert scripted.calls == 2 and len(scripted.waits) == 1 and 0 <= scripted.waits[0] <= 0.1


@pytest.mark.parametrize("status", [200, 400, 401, 404, 409, 413, 422, 500, 504])
def test_any_other_status_is_final(status: int) -> None:
    scripted = Scripted(status)
    assert scripted.sent(Retries()).status == status
    assert scripted.calls == 1


def test_a_request_that_timed_out_is_not_repeated() -> None:
    scripted = Scripted(TIMED_OUT)
    with pytest.raises(TimedOut):
        scripted.sent(Retries())
    assert scripted.calls == 1


@pytest.mark.parametrize("first", [429, 502, 503, 504, UNREACHABLE, TIMED_OUT])
def test_a_change_with_a_key_is_repeated_until_its_outcome_is_known(first: Any) -> None:
    scripted = Scripted(first, 200)
    assert scripted.sent(Retries(), keyed=True).status == 200
    assert scripted.calls == 2


def test_a_deadline_of_the_service_itself_is_final_also_with_a_key() -> None:
    assert Retries().send(lambda: LATE, keyed=True) == (LATE, False)


def answers(*script: Any) -> tuple[int, int]:
    """What a keyed change gets of these answers, and how many it takes."""
    waiting = list(script)

    def attempt() -> Response:
        outcome = waiting.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome if isinstance(outcome, Response) else Response(outcome, {}, b"")

    status = Retries().send(attempt, lambda wait: None, keyed=True).response.status
    return status, len(script) - len(waiting)


@pytest.mark.parametrize("headers", [
    {"Content-Type": PROBLEM},
    {"x-request-id": "echoed"},
    {"x-request-id": "echoed", "content-type": "text/html"},
])  # fmt: skip
def test_a_504_that_is_not_surely_of_the_service_is_repeated_with_a_key(headers: dict[str, str]) -> None:
    assert answers(Response(504, headers, b""), 200) == (200, 2)


@pytest.mark.parametrize("first", [502, 503, 504, UNREACHABLE, TIMED_OUT])
def test_a_deadline_of_the_service_is_not_final_where_an_earlier_attempt_may_have_changed(first: Any) -> None:
    assert answers(first, LATE, 200) == (200, 3)


def test_a_deadline_of_the_service_is_final_after_attempts_that_changed_nothing() -> None:
    assert answers(429, LATE, 200) == (504, 2)


@pytest.mark.parametrize("status", [200, 201, 400, 404, 409, 410, 412, 422, 500, 501, 507])
def test_any_other_status_is_final_also_with_a_key(status: int) -> None:
    scripted = Scripted(status)
    assert scripted.sent(Retries(), keyed=True).status == status
    assert scripted.calls == 1


def test_attempts_end() -> None:
    scripted = Scripted(*[503] * 9)
    assert scripted.sent(Retries(attempts=4)).status == 503
    assert scripted.calls == 4
    scripted = Scripted(*[UNREACHABLE] * 9)
    with pytest.raises(Unreachable):
        scripted.sent(Retries(attempts=1))
    assert scripted.calls == 1


def test_waits_are_jittered_between_half_a_bound_and_all_of_it_and_it_doubles() -> None:
    def waits() -> list[float]:
        scripted = Scripted(*[503] * 8, 200)
        scripted.sent(Retries(attempts=9, longest=2.0))
        return scripted.waits

    bounds = [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0]
    drawn = [waits() for _ in range(50)]
    assert all(bound / 2 <= wait <= bound for each in drawn for wait, bound in zip(each, bounds, strict=True))
    assert max(each[-1] for each in drawn) > 1.75 and min(each[-1] for each in drawn) < 1.25


def test_retry_after_is_honoured_up_to_patience() -> None:
    scripted = Scripted((503, "3"), (503, "60"), 200)
    assert scripted.sent(Retries()).status == 200
    assert 3 <= scripted.waits[0] <= 3.1 and 60 <= scripted.waits[1] <= 60.2
    scripted = Scripted((503, "61"), 200)
    assert scripted.sent(Retries(budget=1000)).status == 503 and not scripted.waits


def test_no_wait_is_begun_that_ends_after_the_budget() -> None:
    scripted = Scripted((503, "50"), (503, "50"), 200)
    assert scripted.sent(Retries(budget=60)).status == 503
    assert scripted.calls == 2 and scripted.now <= 60


IN_40_SECONDS = format_datetime(datetime.now(UTC) + timedelta(seconds=40))
LONG_AGO = "Wed, 21 Oct 2015 07:28:00 GMT"


@pytest.mark.parametrize(
    "header, least, most",
    [("7", 7, 7), ("soon", 0, 0), ("-3", 0, 0), ("", 0, 0), (IN_40_SECONDS, 0, 41), (LONG_AGO, 0, 0)],
    ids=["seconds", "words", "negative", "empty", "date", "past"],
)
def test_what_retry_after_may_say(header: str, least: float, most: float) -> None:
    assert least <= seconds(header) <= most


class Statuses:
    """A service that answers with these statuses in turn, then with an empty list of layers."""

    def __init__(self, *statuses: int):
        self.statuses = list(statuses)

    def send(self, request: Request) -> Response:
        status = self.statuses.pop(0) if self.statuses else 200
        headers = {"X-Request-Id": request.headers["X-Request-Id"]}
        return Response(status, headers, b'{"layers": []}' if status == 200 else b"busy")

    def close(self) -> None:
        pass


def client(statuses: Iterable[int], **options: Any) -> Client:
    return Client(transport=Statuses(*statuses), **options)


def test_the_client_repeats_its_calls() -> None:
    assert client([503, 502]).layers() == []
    with pytest.raises(ServiceFailed):
        client([503], retries=Retries(attempts=1)).layers()


def test_no_connection_at_all_is_unreachable_in_the_end() -> None:
    with pytest.raises(Unreachable):
        Client("http://127.0.0.1:9", retries=Retries(attempts=2)).layers()


def test_a_service_that_never_answered_is_given_up_within_two_seconds() -> None:
    scripted = Scripted(*[UNREACHABLE] * 8)
    with pytest.raises(Unreachable, match=r"no service answers \(\d attempts in \d\.\d s\)"):
        Retries().send(scripted, scripted.sleep, lambda: scripted.now, answered=False)
    assert 2 <= scripted.calls < 8 and scripted.now <= 1.5


def test_a_service_that_answers_that_it_is_busy_is_waited_for() -> None:
    scripted = Scripted(UNREACHABLE, (503, "5"), 200)
    outcome = Retries().send(scripted, scripted.sleep, lambda: scripted.now, answered=False)
    assert outcome.response.status == 200


@pytest.mark.parametrize("lost", [ConnectionLost(UNREACHABLE.faults), TIMED_OUT])
def test_a_service_that_was_connected_is_waited_for(lost: Unreachable) -> None:
    scripted = Scripted(*[lost] * 5, 200)
    outcome = Retries().send(scripted, scripted.sleep, lambda: scripted.now, answered=False, keyed=True)
    assert outcome.response.status == 200 and scripted.now > 1.5


@pytest.mark.parametrize(("script", "unknown"), [
    ([BUSY_OURS] * 3, False),
    ([UNREACHABLE, BUSY_OURS], True),
    ([IN_DOUBT, BUSY_OURS], True),
    ([Response(502, {}, b""), BUSY_OURS], True),
    ([UNREACHABLE, Response(404, {}, b"")], False),
])  # fmt: skip
def test_a_busy_service_after_an_attempt_in_doubt_leaves_the_doubt(script: list[Any], unknown: bool) -> None:
    waiting = list(script)

    def attempt() -> Response:
        outcome = waiting.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    outcome = Retries(attempts=len(script)).send(attempt, lambda wait: None, keyed=True)
    assert outcome == (script[-1], unknown)


def test_every_repetition_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    scripted = Scripted(UNREACHABLE, 503, 200)
    with caplog.at_level("WARNING", logger="deltawire"):
        scripted.sent(Retries())
    assert [(record.name, record.getMessage()[:44]) for record in caplog.records] == [
        ("deltawire", "attempt 1 of 8: no service answers; the next"),
        ("deltawire", "attempt 2 of 8: the service answered 503; th"),
    ]


def test_a_missing_service_is_named_with_the_way_to_start_one() -> None:
    client = Client("http://127.0.0.1:9")
    begun = time.monotonic()
    with pytest.raises(Unreachable) as raised:
        client.layers()
    assert time.monotonic() - begun < 2
    for said in ("http://127.0.0.1:9", "deltawire serve", "attempts in"):
        assert said in str(raised.value)
