"""Signals end a block by KeyboardInterrupt, or wait for its end."""

from __future__ import annotations

import signal

import pytest

from deltawire_service.cli.demos.interrupts import ENDING, ended_by_signals, without_interrupts


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_ends_the_block(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), ended_by_signals():
        signal.raise_signal(number)
        pytest.fail("the block goes on")
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_waits_for_the_end_of_the_block(number: signal.Signals) -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), ended_by_signals():
        with without_interrupts():
            signal.raise_signal(number)
            signal.raise_signal(number)
            done.append("the block")
        pytest.fail("the signal is lost")
    assert done == ["the block"]


def test_without_a_signal_nothing_happens() -> None:
    with ended_by_signals(), without_interrupts():
        pass


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ended_by_signals():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
