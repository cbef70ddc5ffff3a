"""Readers of a model hold so many files of it, and no more."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from deltawire_service.store.errors import LockBusy
from deltawire_service.store.readers import Readers

FOLDER, OTHER = Path("a"), Path("b")


def test_readers_share_a_file_and_hold_so_many() -> None:
    readers = Readers(most=2)
    with ExitStack() as held:
        assert not held.enter_context(readers.holding(FOLDER, "first"))
        assert held.enter_context(readers.holding(FOLDER, "second"))
        assert not held.enter_context(readers.holding(FOLDER, "first"))  # held already: no more files
        with pytest.raises(LockBusy, match="hold 2 versions"), readers.holding(FOLDER, "third"):
            pass
        held.enter_context(readers.holding(OTHER, "first"))  # each model for itself
    with readers.holding(FOLDER, "third") as surplus:
        assert not surplus


def test_a_file_is_held_until_its_last_reader_ends() -> None:
    readers = Readers(most=1)
    with readers.holding(FOLDER, "first"):
        with readers.holding(FOLDER, "first"):
            pass
        with pytest.raises(LockBusy), readers.holding(FOLDER, "second"):
            pass


def test_a_child_does_not_count_the_readers_of_its_parent() -> None:
    readers = Readers(most=1)
    with readers.holding(FOLDER, "first"):
        if not (child := os.fork()):
            with readers.holding(FOLDER, "second"):
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
