"""The order in which an epoch takes the rows of a dataset: a permutation that is computed place by place.

Every place is computed alone, by a Feistel network: the two halves of a number change each other in turns,
which can be undone, so no two places get the same row. A number beyond the last row is mapped again until it
is a row. So the order of any number of rows takes no memory, and any part of it can be computed at any time.

It is made of whole numbers only, and so is the same on every machine and in every numpy.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from deltawire.wire import Array

ROUNDS = 8
"""Turns of the halves: four each. Three are enough for a random order, if each turn is random."""

LEAST_BITS = 8
"""Bits of the numbers that are permuted, at least: shorter halves would make too few different orders."""

HOLD_OUT = 0
"""The epoch by whose order rows are held out; the others are counted from 1."""

WORD = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15
MIX_1, MIX_2 = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
"""The constants of SplitMix64 (Steele, Lea and Flood 2014), which mixes the bits of a number."""

Words = np.ndarray[Any, np.dtype[np.uint64]]


class EpochRows(NamedTuple):
    """Rows that a training takes: some places in the order of an epoch.

    Attributes:
        seed: seed of the order, from 0 to 2**64 − 1.
        epoch: number of the epoch, from 1: each has another order.
        start: the first place.
        stop: the place after the last one.
        of: number of rows of the dataset.
        held_out: how many of them the training does not take, chosen by the seed.
    """

    seed: int
    epoch: int
    start: int
    stop: int
    of: int
    held_out: int = 0

    def until(self, stop: int) -> EpochRows:
        """Return the rows from the same place on until another one."""
        return self._replace(stop=stop)

    def document(self) -> dict[str, int]:
        """Return the rows as JSON."""
        return self._asdict()

    def indices(self) -> Array:
        """Return the indices of the rows, an int64 array of shape (stop − start,)."""
        taken = row_order(self.of - self.held_out, self.seed, self.epoch, self.start, self.stop)
        return _rows_at(self.of, self.seed, HOLD_OUT, taken.astype(np.uint64)) if self.held_out else taken


def held_out_rows(rows: int, seed: int, held_out: int, start: int, stop: int) -> Array:
    """Return the indices of some rows that no epoch takes, an int64 array of shape (stop − start,).

    Args:
        rows: number of rows of the dataset.
        seed: seed of the order.
        held_out: how many rows no epoch takes.
        start: the first of them, counted among themselves.
        stop: the one after the last.
    """
    taken = rows - held_out
    return row_order(rows, seed, HOLD_OUT, taken + start, taken + stop)


def row_order(rows: int, seed: int, epoch: int, start: int, stop: int) -> Array:
    """Return the rows at some places of the order of an epoch, an int64 array of shape (stop − start,).

    Over all places from 0 to `rows`, each row comes once.

    Args:
        rows: number of rows.
        seed: seed of the order, from 0 to 2**64 − 1.
        epoch: number of the epoch, from 0 to 2**64 − 1: each has another order.
        start: the first place.
        stop: the place after the last one, at most `rows`.

    Raises:
        ValueError: the places are not within the rows.
    """
    if not 0 <= start <= stop <= rows:
        raise ValueError(f"there are no places {start} to {stop} in an order of {rows} rows")
    return _rows_at(rows, seed, epoch, np.arange(start, stop, dtype=np.uint64))


def _rows_at(rows: int, seed: int, epoch: int, places: Words) -> Array:
    bits = max(LEAST_BITS, (rows - 1).bit_length())
    keys = _keys(seed, epoch)
    numbers = _permute(places, bits, keys)
    while (beyond := np.flatnonzero(numbers >= rows)).size:
        numbers[beyond] = _permute(numbers[beyond], bits, keys)
    return numbers.astype(np.int64)


def _keys(seed: int, epoch: int) -> list[int]:
    """Return a key for each turn."""
    state = _mix_number(_mix_number(seed) ^ epoch)
    return [_mix_number((state + turn * GOLDEN) & WORD) for turn in range(1, ROUNDS + 1)]


def _permute(numbers: Words, bits: int, keys: list[int]) -> Words:
    """Map each number below 2**bits to another one."""
    low_bits = bits // 2
    low_mask, high_mask = np.uint64(2**low_bits - 1), np.uint64(2 ** (bits - low_bits) - 1)
    low, high = numbers & low_mask, numbers >> np.uint64(low_bits)
    for turn in range(0, ROUNDS, 2):
        low ^= _mix(high, keys[turn]) & low_mask
        high ^= _mix(low, keys[turn + 1]) & high_mask
    return (high << np.uint64(low_bits)) | low


def _mix(numbers: Words, key: int) -> Words:
    """Return the bits of numbers mixed with a key, as SplitMix64 does it."""
    mixed = numbers + np.uint64(key)
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(MIX_1)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(MIX_2)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def _mix_number(number: int) -> int:
    """Return the bits of one number mixed, as SplitMix64 does it."""
    number = ((number ^ (number >> 30)) * MIX_1) & WORD
    number = ((number ^ (number >> 27)) * MIX_2) & WORD
    return number ^ (number >> 31)
