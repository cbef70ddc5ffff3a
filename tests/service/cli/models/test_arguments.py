"""How the options of an optimizer become JSON, and JSON becomes words."""

from __future__ import annotations

from typing import Any

from deltawire import optim
from deltawire_service.cli.models.arguments import optimizer_document, optimizer_text, schedule_part

NOTHING: tuple[Any, ...] = (None, None, None, None, None, None)


def test_options_that_were_not_given_are_left_out() -> None:
    assert optimizer_document(*NOTHING) == {}
    assert optimizer_document(0.5, {"eps": 1}, None, None, None, None) == {
        "config": {"eps": 1, "learning_rate": 0.5}
    }
    assert optimizer_document(None, None, schedule_part('{"kind": "constant"}'), None, None, 2.0) == {
        "schedule": {"kind": "constant"}, "clip": {"value": 2.0}
    }  # fmt: skip


def test_what_is_taken_away_is_not_left_out() -> None:
    assert optimizer_document(None, {}, schedule_part(" null "), {}, None, None) == {
        "schedule": None, "clip": {}
    }  # fmt: skip
    assert optimizer_document(None, None, None, {"norm": 1, "value": 2}, None, 3.0) == {
        "clip": {"norm": 1, "value": 3.0}
    }


def test_an_optimizer_in_words() -> None:
    assert optimizer_text(optim.lion(0.5).rule()) == "lion, learning rate 0.5"
    rule = optim.sgd(1e-4, schedule=optim.schedules.cosine(10), clip_norm=1, clip_value=0.5).rule()
    words = "sgd, learning rate 0.0001, cosine schedule, clipped to norm 1, clipped to value 0.5"
    assert optimizer_text(rule) == words
