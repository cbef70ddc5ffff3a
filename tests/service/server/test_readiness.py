"""Readiness begins when the models are recovered, and ends when the server says that the process stops."""

from __future__ import annotations

from deltawire_service.server.readiness import Readiness


def test_it_is_ready_until_the_process_stops() -> None:
    readiness = Readiness()
    assert readiness.reason() is None
    stopping = [False]
    readiness.stopping = lambda: stopping[0]
    assert readiness.reason() is None
    stopping[0] = True
    assert readiness.reason() == "draining"


def test_it_is_not_ready_while_models_are_recovered() -> None:
    readiness = Readiness()
    recovering = [True]
    readiness.recovering = lambda: recovering[0]
    assert readiness.reason() == "recovering"
    readiness.stopping = lambda: True
    assert readiness.reason() == "draining"
    recovering[0] = False
    readiness.stopping = lambda: False
    assert readiness.reason() is None
