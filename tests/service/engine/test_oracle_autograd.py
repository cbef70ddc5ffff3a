"""Random networks against HIPS autograd: loss, losses, values, every gradient and every delta."""

from hypothesis import given
from support.engine import everything, shapes_of
from support.networks import Example, examples
from support.oracles import by_autograd, distance


@given(examples())
def test_agrees_with_autograd(example: Example) -> None:
    ours = everything(example)
    theirs = by_autograd(example, shapes_of(example))
    assert ours.keys() == theirs.keys()
    worst = max(ours, key=lambda name: distance(ours[name], theirs[name]))
    assert distance(ours[worst], theirs[worst]) <= 1e-10, worst
