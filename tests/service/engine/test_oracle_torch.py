"""Random networks against torch: float64 to 1e-10, float32 no worse than torch's own float32."""

import pytest
from hypothesis import given
from support.engine import everything, shapes_of
from support.networks import Example, examples
from support.oracles import by_torch, distance

pytestmark = pytest.mark.torch


@given(examples())
def test_agrees_with_torch(example: Example) -> None:
    ours = everything(example)
    theirs = by_torch(example, shapes_of(example))
    assert ours.keys() == theirs.keys()
    worst = max(ours, key=lambda name: distance(ours[name], theirs[name]))
    assert distance(ours[worst], theirs[worst]) <= 1e-10, worst


@given(examples())
def test_float32_is_as_good_as_torchs(example: Example) -> None:
    single = example.astype("float32")
    exact = by_torch(single.astype("float64"), shapes_of(example))
    theirs = by_torch(single, shapes_of(example), "float32")
    for name, array in everything(single).items():
        allowed = max(1e-5, 4 * distance(theirs[name].astype("float64"), exact[name]))
        assert distance(array.astype("float64"), exact[name]) <= allowed, name
