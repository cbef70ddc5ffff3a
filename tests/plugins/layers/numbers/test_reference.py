"""The right numbers of the table in float64, which are the layer's own in long double, beside those of torch.

A wrong formula would be equally wrong in both dtypes of ours. torch computes in float64, so that each number
may differ by its rounding: some units of the last place of the greatest number beside it, and as much as such
units of the arguments move it.
"""

from __future__ import annotations

import numpy as np
import pytest
from support.hard_arguments import Results, by_torch, drawn, in_long_double, ours, spreads
from support.hard_numbers import FAMILIES
from support.layers import BUILT_IN
from support.torch_kinds import KINDS, Kind

pytestmark = pytest.mark.torch

ULP = float(np.finfo(np.float64).eps)

LAST_PLACES = 64
"""Units of the last place of the greatest number beside it."""

CONDITION = 16
"""Multiples of what one unit of the last place of the arguments moves."""

UNDERFLOW = 1e-300
"""Below this, torch's steps may lose all digits."""

OVERFLOW = ("squares overflow", "greatest")

LOST: dict[str, tuple[str, ...]] = {
    # The squares of numbers overflow, or vanish.
    "norm": ("denormals", "smallest normals", "tiny", *OVERFLOW),
    "rms_norm": (*OVERFLOW, "mixed sizes", "one place"),
    "instance_norm": (*OVERFLOW, "one place"),
    "cosine_distance": (*OVERFLOW, "mixed sizes", "one place"),
    "triplet": OVERFLOW,
    # Numbers that cancel: what is 0 for a single place, probabilities next to 1, differences of scores.
    "layer_norm": ("one place",),
    "softmax": ("far out",),
    "multi_head_attention-heads=1": ("small", "leveling off"),
    "lstm-units=2": ("saturated",),
    # The logarithm of a denormal number.
    "kl_divergence": ("denormals",),
}
"""Families in which torch itself loses digits of a kind in float64. In all others it must agree."""


def differences(kind: Kind, name: str) -> list[str]:
    """Return in which results the long double numbers and torch's are further apart than rounding."""
    layer, family = BUILT_IN[kind.kind](**kind.config), FAMILIES[name]
    given = drawn(kind, family, layer, np.float64)
    exact = given.map(lambda x: x.astype(np.longdouble))
    right, outside = ours(layer, exact), by_torch(kind.right or kind.function, given)
    spread: Results = {}

    def beside(numbers: np.ndarray) -> np.ndarray:
        """Return the greatest of the numbers that are computed together, at the place of each."""
        numbers = np.where(np.isfinite(numbers), np.abs(numbers), 0)
        if layer.elementwise or not numbers.ndim:
            return numbers
        return np.broadcast_to(numbers.max(axis=-1, keepdims=True, initial=0), numbers.shape)

    problems = []
    for result, expected in right.items():
        known = np.isfinite(expected) & np.isfinite(outside[result])
        if result.startswith("δ"):  # an example without a value has no δ
            unknown = np.isnan(right["value"]).reshape(family.batch, -1).any(axis=1)
            known &= ~unknown.reshape(-1, *(1,) * (known.ndim - 1))
        far = np.abs(outside[result] - expected)
        allowed = LAST_PLACES * ULP * beside(expected) + UNDERFLOW
        if (known & ~(far <= allowed)).any():
            spread = spread or spreads(lambda moved: ours(layer, moved), exact, right, ULP, family.places)
            allowed = allowed + CONDITION * beside(spread[result])
        wrong = known & ~(far <= allowed)
        if wrong.any():
            place = tuple(int(axis[0]) for axis in np.nonzero(wrong))
            problems.append(
                f"{result}{list(place)}: {expected[place]!r}, torch {outside[result][place]!r}, "
                f"allowed {float(allowed[place]):.1e}, {wrong.sum()} of {wrong.size}"
            )
    return problems


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_right_numbers_are_those_of_torch(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    in_long_double(monkeypatch)
    found = {}
    for name in FAMILIES:
        with np.errstate(all="ignore"):
            problems = differences(kind, name)
        if problems:
            found[name] = problems
    lost = LOST.get(kind.name, ())
    assert found.keys() == set(lost), {name: found.get(name) for name in found.keys() ^ set(lost)}


@pytest.mark.parametrize("family", ["normal", "small", "long rows"])
@pytest.mark.parametrize("kind", ["layer_norm", "softmax", "gelu", "lstm-units=2"])
def test_a_formula_that_is_wrong_by_a_millionth_shows(
    kind: str, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_long_double(monkeypatch)
    (chosen,) = (each for each in KINDS if each.name == kind)
    wrong = chosen._replace(right=None, function=lambda *x, **w: chosen.function(*x, **w) * (1 + 1e-6))
    with np.errstate(all="ignore"):
        assert differences(wrong, family)
