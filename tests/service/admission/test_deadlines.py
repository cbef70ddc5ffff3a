"""The deadline of a request: the setting, or less when its header says so."""

from __future__ import annotations

from math import inf
from time import monotonic
from typing import Any

import pytest
from support.posting import good

from deltawire.errors import Refused
from deltawire_service.admission.deadlines import VARIABLE, set_deadline
from deltawire_service.app import create_app
from deltawire_service.engine import call_until, current_deadline
from deltawire_service.http.request_context import RequestContext
from deltawire_service.settings import Settings

SETTINGS = Settings(deadline_seconds=20.0)


def seconds_left(**environ: Any) -> float:
    context = RequestContext({"REQUEST_METHOD": "GET", **environ})

    def left() -> float:
        set_deadline(SETTINGS, context)
        return current_deadline() - monotonic()

    return call_until(inf, left)


@pytest.mark.parametrize(
    "header, seconds", [("2.5", 2.5), ("0.001", 0.001), ("19.999999", 20), ("999999", 20)]
)
def test_a_header_may_set_less_than_the_setting(header: str, seconds: float) -> None:
    assert seconds_left(**{VARIABLE: header}) == pytest.approx(seconds, abs=0.5)


def test_the_deadline_of_a_request_ends_with_it() -> None:
    """An embedded service computes in the thread of its caller, who has no deadline."""
    client = create_app(Settings(deadline_seconds=20.0)).test_client()

    def request_then_look() -> float:
        assert client.post("/v1/gradients", json=good()).status_code == 200
        return current_deadline()

    assert call_until(inf, request_then_look) == inf  # whatever tests before have left in this thread


def test_without_a_header_it_is_the_setting() -> None:
    assert seconds_left() == pytest.approx(20, abs=0.5)


@pytest.mark.parametrize(
    "header", ["", "0", "0.0", "0.000999", "-1", "1e3", "nan", "inf", "2,5", " 2", "2 ", "2.", "1234567", "٣"]
)
def test_any_other_header_is_refused(header: str) -> None:
    with pytest.raises(Refused) as refused:
        seconds_left(**{VARIABLE: header})
    assert refused.value.code == "deadline_invalid"
