"""Sums of products over named axes, as matrix products of two arrays at a time.

A term names the axes of an array by letters, after the batch, which all arrays have.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from deltawire_layers.layer import Array
from deltawire_layers.numeric.products import matmul
from deltawire_layers.numeric.sums import sum_axes


def contract(terms: Sequence[str], arrays: Sequence[Array], out: str) -> Array:
    """Return Σ of the product of arrays, over the axes that `out` does not name.

    Args:
        terms: the letters of each array's axes; no letter twice in one.
        arrays: (batch, *axes) each.
        out: the letters of the result's axes, each of them in a term.
    """
    term, result = terms[0], arrays[0]
    for place in range(1, len(terms)):
        wanted = set(out).union(*terms[place + 1 :])
        term, result = _pair(term, result, terms[place], arrays[place], wanted)
    term, result = _summed(term, result, set(out))
    return _ordered(term, result, out)


def steps(terms: Sequence[str], out: str) -> list[tuple[str, str]]:
    """Return the letters of each product of `contract`, and those of its result."""
    term, taken = terms[0], []
    for place in range(1, len(terms)):
        wanted = set(out).union(*terms[place + 1 :])
        letters = "".join(dict.fromkeys(term + terms[place]))
        term = "".join(letter for letter in letters if letter in wanted)
        taken.append((letters, term))
    return taken


def _pair(first: str, a: Array, second: str, b: Array, wanted: set[str]) -> tuple[str, Array]:
    """Multiply two arrays and sum over the letters that nobody wants.

    Args:
        first: the letters of a.
        a: an array.
        second: the letters of b.
        b: an array.
        wanted: the letters to keep.
    """
    first, a = _summed(first, a, wanted | set(second))
    second, b = _summed(second, b, wanted | set(first))
    along = "".join(letter for letter in first if letter in second and letter in wanted)
    summed = "".join(letter for letter in first if letter in second and letter not in wanted)
    left = "".join(letter for letter in first if letter not in second)
    right = "".join(letter for letter in second if letter not in first)
    a, b = _ordered(first, a, along + left + summed), _ordered(second, b, along + summed + right)
    stack = a.shape[: 1 + len(along)]
    lefts = a.shape[1 + len(along) : 1 + len(along) + len(left)]
    rights = b.shape[1 + len(along) + len(summed) :]
    inner = prod(b.shape[1 + len(along) : 1 + len(along) + len(summed)])
    product = matmul(a.reshape(*stack, prod(lefts), inner), b.reshape(*stack, inner, prod(rights)))
    return along + left + right, product.reshape(*stack, *lefts, *rights)


def _summed(term: str, array: Array, wanted: set[str]) -> tuple[str, Array]:
    gone = tuple(place for place, letter in enumerate(term, start=1) if letter not in wanted)
    if not gone:
        return term, array
    return "".join(letter for letter in term if letter in wanted), sum_axes(array, gone)


def _ordered(term: str, array: Array, order: str) -> Array:
    return array if term == order else np.transpose(array, [0, *(1 + term.index(letter) for letter in order)])
