"""Digests of rows: those of their bytes, computed once for each stretch of a file."""

from __future__ import annotations

from hashlib import sha256
from time import monotonic

import numpy as np
import pytest

from deltawire_service.cluster.dispatching.digests import Digests
from deltawire_service.cluster.links import Stretch
from deltawire_service.engine import DeadlineExceeded, call_until

ROWS = np.arange(600.0).reshape(20, 30)


def test_a_digest_is_that_of_the_bytes_in_order() -> None:
    for number, rows in enumerate((ROWS[3:7], ROWS.T[3:7], ROWS[:0], ROWS.astype(np.float32)[::2])):
        found = Digests().of(Stretch("file", number, rows.nbytes), rows)
        assert found == sha256(rows.tobytes()).hexdigest()


def test_a_stretch_is_read_once() -> None:
    digests, stretch = Digests(), Stretch("file", 0, ROWS.nbytes)
    first = digests.of(stretch, ROWS)
    assert digests.of(stretch, ROWS + 1) == first
    assert digests.of(stretch._replace(path="other"), ROWS + 1) != first


def test_a_deadline_ends_the_reading() -> None:
    with pytest.raises(DeadlineExceeded):
        call_until(monotonic() - 1, lambda: Digests().of(Stretch("file", 0, ROWS.nbytes), ROWS))
