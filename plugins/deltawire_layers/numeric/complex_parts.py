"""The parts of complex matrices under the complex step, as real matrices that BLAS reads fastest.

Numbers of a complex array are pairs in memory, so its parts have to be copied. Those of parameters are known:
the engine has made the arrays of them, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np

from deltawire_layers.layer import Array


class Known(NamedTuple):
    """A complex array that was made of two real ones, all contiguous; imag: None where every number is 0."""

    whole: Array
    real: Array
    imag: Array | None


class _Moved(NamedTuple):
    """What the engine says of a pass under the complex step.

    known:      arrays by the identity of the whole ones; None outside of such a pass
    only_moves: whether only the imaginary parts of gradients are read
    """

    known: Mapping[int, Known] | None = None
    only_moves: bool = False


_NOTHING = _Moved()
_moved: ContextVar[_Moved] = ContextVar("moved", default=_NOTHING)


@contextmanager
def moved_pass(arrays: Iterable[Known], only_moves: bool) -> Iterator[None]:
    """Say how a pass under the complex step is computed, until the block ends.

    Args:
        arrays: of which parts arrays were made. Nobody may write to them.
        only_moves: whether only the imaginary parts of gradients are read, and by nobody but the engine.
    """
    token = _moved.set(_Moved({id(known.whole): known for known in arrays}, only_moves))
    try:
        yield
    finally:
        _moved.reset(token)


def in_moved_pass() -> bool:
    """Return whether the engine computes a pass under the complex step.

    Only there may a derivative be that of the backward equation: elsewhere the complex step checks it.
    """
    return _moved.get().known is not None


def only_moves() -> bool:
    """Return whether only the imaginary parts of gradients are read in the pass that is computed."""
    return _moved.get().only_moves


class Parts(NamedTuple):
    """The parts of a complex array, shaped like it; imag: None where every number is 0."""

    real: Array
    imag: Array | None
    both: Array | None = None
    """The real parts above the imaginary ones, in the last axis but one."""

    def above_each_other(self) -> Array:
        """Return the real parts above the imaginary ones, in the last axis but one; there must be both."""
        assert self.imag is not None
        if self.both is not None:
            return self.both
        if self.real.ndim == 2 and not self.real.flags.c_contiguous:
            return np.concatenate([self.real.T, self.imag.T], axis=1).T
        return np.concatenate([self.real, self.imag], axis=-2)


def parts(array: Array) -> Parts:
    """Return the parts of a complex array."""
    known = _find(array)
    if known is not None:
        return known
    if not moves(array):
        return Parts(array.real.copy("K"), None)
    if array.ndim == 2 and array.flags.f_contiguous:  # its columns lie in memory one after the other
        columns = np.empty((array.shape[1], 2, array.shape[0]))
        columns[:, 0], columns[:, 1] = array.real.T, array.imag.T
        return Parts(columns[:, 0].T, columns[:, 1].T, columns.reshape(array.shape[1], -1).T)
    *before, n, k = array.shape
    both = np.empty((*before, 2, n, k))
    both[..., 0, :, :], both[..., 1, :, :] = array.real, array.imag
    return Parts(both[..., 0, :, :], both[..., 1, :, :], both.reshape(*before, 2 * n, k))


def moves(array: Array) -> bool:
    """Return whether any imaginary part is not 0; test the first row first, which mostly decides."""
    return bool(array.imag[:1].any() or array.imag.any())


def _find(array: Array) -> Parts | None:
    """Return the known parts of an array, of a view of all of its numbers, or of its transpose."""
    owner: Any = array if array.base is None else array.base
    known = (_moved.get().known or {}).get(id(owner))
    if known is None or array.size != known.whole.size:
        return None
    turned = not array.flags.c_contiguous
    if turned and not (array.ndim == 2 and array.flags.f_contiguous):
        return None
    shape = array.shape[::-1] if turned else array.shape
    found = [None if part is None else part.reshape(shape) for part in (known.real, known.imag)]
    return Parts(*(part.T if turned and part is not None else part for part in found))  # type: ignore[arg-type]
