"""Locking: nobody writes through an array that is locked, nor through what it shares its memory with."""

from __future__ import annotations

import numpy as np
import pytest

from deltawire_layers.locking import lock, read_only


def writable(array: np.ndarray) -> bool:
    return bool(array.flags.writeable)


def test_an_array_and_all_it_is_a_view_of_are_locked() -> None:
    buffer = np.zeros((4, 6))
    view = buffer[1:].reshape(9, 2)[:, 0]
    lock(view)
    assert not writable(view) and not writable(buffer)
    with pytest.raises(ValueError, match="read-only"):
        buffer[0, 0] = 1
    with pytest.raises(ValueError):
        view.view().setflags(write=True)


def test_the_owner_of_a_read_only_view_keeps_its_array() -> None:
    owner = np.zeros(3)
    lock(read_only(owner))
    owner += 1
    assert owner.tolist() == [1, 1, 1]


def test_an_array_over_foreign_memory_is_locked() -> None:
    array = np.frombuffer(bytearray(16))
    lock(array)
    assert not writable(array)


def test_a_read_only_view_leaves_the_array_writable() -> None:
    array = np.zeros(3)
    view = read_only(array)
    array[0] = 1
    assert view[0] == 1 and not writable(view) and view.base is array
