"""Walk through arrays in pieces that fit into the processor's cache, so that a step needs little memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from deltawire_optimizers.optimizer import Array

Access = Literal["readonly", "readwrite"]

PIECE = 2**14
"""Numbers in a piece: as many as make the calls of numpy cheap beside their work, and fit into the cache."""


def pieces(read: Sequence[Array], write: Sequence[Array] = ()) -> Iterator[tuple[Array, ...]]:
    """Yield vectors of at most `PIECE` numbers, one of each array, through all of their numbers.

    The order is that of C, whatever the layout of the arrays.

    Args:
        read: arrays to read.
        write: arrays to read and to write, of the same shape.
    """
    if all(array.flags.c_contiguous for array in (*read, *write)):  # most are: they are cut without a copy
        vectors = [array.reshape(-1) for array in (*read, *write)]
        for start in range(0, vectors[0].size, PIECE):
            yield tuple(vector[start : start + PIECE] for vector in vectors)
        return
    reading: list[Access] = ["readonly"]
    writing: list[Access] = ["readwrite"]
    with np.nditer(
        [*read, *write],
        flags=["external_loop", "buffered", "zerosize_ok"],
        op_flags=[reading] * len(read) + [writing] * len(write),
        order="C",
        buffersize=PIECE,
    ) as iterator:
        for piece in iterator:
            yield piece if isinstance(piece, tuple) else (piece,)
