"""Every kind of layer at every family of hard inputs, in both dtypes.

A number may be as far from the right one as four times torch's own error, or as two units of the last place
of the arguments move it. It is finite where the right one can be represented. In float32 the right numbers
are torch's in float64. In float64 they are the layer's in long double, and `test_reference` compares those
with torch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from support.hard_arguments import Arguments, Results, by_torch, drawn, in_long_double, ours, spreads
from support.hard_numbers import FAMILIES, Family
from support.layers import BUILT_IN
from support.torch_kinds import KINDS, Kind

pytestmark = pytest.mark.torch

DTYPES = [np.float32, np.float64]


def failures(kind: Kind, family: Family, dtype: Any) -> Iterator[str]:
    """Yield what is worse than it may be."""
    layer = BUILT_IN[kind.kind](**kind.config)
    given = drawn(kind, family, layer, dtype)
    single, limits = dtype is np.float32, np.finfo(dtype)
    ulp = float(limits.eps)

    def right_of(exact: Arguments) -> Results:
        return by_torch(kind.right or kind.function, exact) if single else ours(layer, exact)

    exact = given.map(lambda x: x.astype(np.float64 if single else np.longdouble))
    right = right_of(exact)
    spread: Results = {}
    result, torchs = ours(layer, given), by_torch(kind.function, given)
    for name, array in result.items():
        expected = right[name]
        own = np.abs(torchs[name] - expected)
        if not layer.elementwise and own.ndim:  # numbers that are computed together
            own = np.broadcast_to(np.fmax.reduce(own, axis=-1, keepdims=True, initial=0), own.shape)
        least = 8 * float(limits.smallest_subnormal)
        allowed = np.fmax(4 * own, 2 * ulp * np.abs(expected)) + least
        known = np.abs(expected) <= float(limits.max) * (1 - 8 * ulp)
        if name.startswith("δ"):  # an example without a value has no δ
            unknown = np.isnan(right["value"]).reshape(family.batch, -1).any(axis=1)
            known = known & ~unknown.reshape(-1, *(1,) * (known.ndim - 1))
        wrong = known & ~(np.abs(array - expected) <= allowed)
        if wrong.any():  # seldom, and only then is it worth the time to find the condition
            spread = spread or spreads(right_of, exact, right, ulp, family.places)
            allowed = np.fmax(allowed, 2 * (spread[name] + ulp * np.abs(expected)) + least)
            wrong = known & ~(np.abs(array - expected) <= allowed)
        if wrong.any():
            place = tuple(int(axis[0]) for axis in np.nonzero(wrong))
            yield (
                f"{name}{list(place)}: {array[place]!r}, right {expected[place]!r}, torch "
                f"{torchs[name][place]!r}, allowed {float(allowed[place]):.1e}, {wrong.sum()} of {wrong.size}"
            )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_numbers(kind: Kind, dtype: type[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    in_long_double(monkeypatch)
    found = dict[str, list[str]]()
    for name, family in FAMILIES.items():
        with np.errstate(all="ignore"):
            problems = list(failures(kind, family, dtype))
        if problems:
            found[name] = problems
    assert not found


def test_every_kind_has_a_row() -> None:
    assert {kind.kind for kind in KINDS} == set(BUILT_IN)
