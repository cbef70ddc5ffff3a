"""Keys of other libraries lead to the key that stands for them at their place."""

from __future__ import annotations

import pytest

from deltawire_plugins.foreign_keys import ForeignKeys

KEYS = ForeignKeys(
    {"units": "out_features features", "width": "features"},
    {"in_features": "leave it out", "features": "it has no size"},
)


@pytest.mark.parametrize(
    "key, known, hint",
    [
        ("out_features", ["bias", "units"], "; here it is 'units'"),
        ("OutFeatures", ["units"], "; here it is 'units'"),
        ("Units", ["units"], "; here it is 'units'"),
        ("features", ["units"], "; here it is 'units'"),
        ("features", ["width"], "; here it is 'width'"),
        ("features", ["slope"], "; it has no size"),
        ("in-features", ["units"], "; leave it out"),
        ("out_features", ["slope"], ""),
        ("other", ["units"], ""),
    ],
)
def test_a_key_leads_to_the_one_of_its_place(key: str, known: list[str], hint: str) -> None:
    assert KEYS.hint(key, known) == hint
