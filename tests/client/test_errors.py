"""Errors say what, where and whose fault, and survive pickling."""

from __future__ import annotations

import pickle

import pytest

import deltawire
from deltawire import DeltawireError, Fault, Refused
from deltawire.errors import MOST_FAULTS

FAULTS = (Fault("/data/x", "shape_mismatch", "expected [2]"), Fault("", "loss_missing", "no loss"))
PUBLIC = [vars(deltawire)[name] for name in deltawire.__all__]
TREE = [error for error in PUBLIC if isinstance(error, type) and issubclass(error, DeltawireError)]


@pytest.mark.parametrize("error", TREE)
def test_every_error_has_the_same_attributes_and_can_be_pickled(error: type[DeltawireError]) -> None:
    for raised in (error(FAULTS, 422, "ab-12"), pickle.loads(pickle.dumps(error(FAULTS, 422, "ab-12")))):
        assert type(raised) is error
        assert (raised.status, raised.request_id) == (422, "ab-12")
        assert (raised.code, raised.pointer) == ("shape_mismatch", "/data/x")
        assert raised.errors == raised.faults == FAULTS
        assert str(raised) == "/data/x: expected [2]; no loss"


def test_the_tree_is_drawn_in_the_docstring() -> None:
    drawing = deltawire.errors.__doc__ or ""
    assert len(TREE) == 7
    for error in TREE:
        assert f" {error.__name__} " in drawing


def test_a_refusal_moved_below_a_prefix_stays_what_it_is() -> None:
    moved = Refused(FAULTS, 422, "ab").under("/network")
    assert [fault.pointer for fault in moved.faults] == ["/network/data/x", "/network"]
    assert (moved.status, moved.request_id) == (422, "ab")


def test_no_more_faults_are_computed_than_are_kept() -> None:
    def faults():
        for place in range(MOST_FAULTS):
            yield Fault(f"/{place}", "field_unknown", "unknown")
        raise AssertionError("nobody reads this one")

    assert len(Refused(faults()).faults) == MOST_FAULTS
