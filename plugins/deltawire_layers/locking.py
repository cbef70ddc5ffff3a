"""Arrays that are no longer written to: what layers receive, and what they have returned."""

from __future__ import annotations

import numpy as np

from deltawire_layers.layer import Array


def lock(array: Array) -> None:
    """Make an array read-only, and all arrays whose memory it shares.

    A layer may return a view of a buffer that it means to fill again: the buffer is locked, too. An array
    that is read-only already may be an argument handed back, whose owner decides about its numbers.
    """
    base = array.base
    if base is not None:
        if not array.flags.writeable:
            return
        while isinstance(base, np.ndarray):
            base.setflags(write=False)
            base = base.base
    array.setflags(False)  # type: ignore[call-arg]  # by name it takes three times as long


def read_only(array: Array) -> Array:
    """Return a read-only view of an array."""
    view = array.view()
    view.setflags(False)  # type: ignore[call-arg]
    return view
