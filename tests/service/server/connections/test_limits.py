"""The one rule of the header Deltawire-Deadline: for connections, and for computations."""

from __future__ import annotations

import pytest

from deltawire_service.server.connections.limits import ConnectionLimits, requested_seconds


@pytest.mark.parametrize(
    "text, seconds",
    [
        ("2.5", 2.5),
        ("0.001", 0.001),
        ("0", None),
        ("0.000999", None),
        ("", None),
        ("-1", None),
        ("1e3", None),
    ],
)
def test_a_deadline_is_a_number_of_seconds_of_at_least_a_millisecond(
    text: str, seconds: float | None
) -> None:
    assert requested_seconds(text) == seconds


@pytest.mark.parametrize("header, seconds", [("2.5", 2.5), ("60", 30.0), ("0", 30.0), ("soon", 30.0)])
def test_a_connection_waits_as_long_as_a_request_may_take(header: str, seconds: float) -> None:
    """A header that is refused later shortens nothing."""
    assert ConnectionLimits().deadline({"DELTAWIRE-DEADLINE": header}) == seconds
    assert ConnectionLimits().deadline({}) == 30.0
