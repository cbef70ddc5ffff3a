"""Rule 2: the kit catches layers that work in blocks of rows and lose some, however large the blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from support.broken_layers import Array
from support.made_layers import Case, broken_test, made, right_test, twice

from deltawire_layers import Activation, Layer, Parameter, check_layer
from deltawire_layers.initializers import ones
from deltawire_layers.kit import examples

DELTA, VALUE, GRADIENT = "δ of input 0", "value", "gradient of 'b'"
BLOCKS = (50, 64, 100, 128, 256, 500, 512, 1000, 1024, 2048, 4096)

Change = Callable[[Array], Array]


def value(change: Change) -> Layer:
    """y = 2x, whose value is changed."""
    return made(lambda params, x: Activation(change(2 * x), deltas=(lambda delta: 2 * delta,)))


def delta(change: Change) -> Layer:
    """y = 2x, whose δ is changed."""
    return twice(deltas=(lambda delta: change(2 * delta),))


def gradient(change: Change) -> Layer:
    """y = x + b, whose gradient is the sum of changed rows."""
    return made(
        lambda params, x: Activation(
            x + params["b"],
            deltas=(lambda delta: delta,),
            grads={"b": lambda delta: change(delta).sum(axis=0)},
        ),
        parameters=lambda self, x: {"b": Parameter(x, ones)},
    )


def only(block: int) -> Change:
    """Keep the first rows."""
    return lambda x: x * (np.arange(len(x)) < block)[:, None]


def whole_blocks(block: int) -> Change:
    """Lose the rows after the last whole block, if there is one."""
    return lambda x: only(block * (len(x) // block) or len(x))(x)


def last_again(block: int) -> Change:
    """Take the last row of each block twice, and not the one before it."""
    return lambda x: x[[row - (row % block == block - 2 and row + 1 < len(x)) for row in range(len(x))]]


def in_float32(change: Change) -> Change:
    return lambda x: change(x) if x.dtype == np.float32 else x


def at_multiples(block: int) -> Change:
    """Double the numbers of a batch of whole blocks."""
    return lambda x: x * (1 if len(x) % block else 2)


def cases() -> Iterator[tuple[str, Case]]:
    for block in BLOCKS:
        yield f"value of {block} rows", Case(2, VALUE, value(only(block)))
        yield f"δ of {block} rows", Case(2, DELTA, delta(only(block)))
        yield f"gradient of {block} rows", Case(2, GRADIENT, gradient(only(block)))
        yield f"gradient of whole blocks of {block}", Case(2, GRADIENT, gradient(whole_blocks(block)))
    for block in (64, 128, 256, 1000):
        yield f"value of {block} rows in float32", Case(2, VALUE, value(in_float32(only(block))))
        yield f"δ of {block} rows in float32", Case(2, DELTA, delta(in_float32(only(block))))
        yield (
            f"gradient of whole blocks of {block} in float32",
            Case(2, GRADIENT, gradient(in_float32(whole_blocks(block)))),
        )
        yield f"δ of blocks of {block} with a row twice", Case(2, DELTA, delta(last_again(block)))
    for block in (8, 32, 64, 100, 128, 500):
        yield f"value of multiples of {block} rows", Case(2, VALUE, value(at_multiples(block)))


test_broken = broken_test(dict(cases()))


def summed(block: int) -> Change:
    """Sum rows in blocks, as one row."""
    return lambda x: np.stack([x[start : start + block].sum(axis=0) for start in range(0, len(x), block)])


def one_by_one(x: Array) -> Array:
    """Sum rows in their order, which loses the most digits."""
    return np.add.accumulate(x, axis=0)[-1:]


def blockwise(block: int) -> Layer:
    """y = x², in blocks of rows."""

    def in_blocks(change: Callable[..., Array], *arrays: Array) -> Array:
        starts = range(0, len(arrays[0]), block)
        return np.concatenate([change(*(x[start : start + block] for x in arrays)) for start in starts])

    return made(
        lambda params, x: Activation(
            in_blocks(np.square, x), deltas=(lambda d: in_blocks(lambda d, x: 2 * d * x, d, x),)
        )
    )


RIGHT: dict[str, Any] = {
    **{f"gradient in blocks of {block}": (gradient(summed(block)), ((3,),)) for block in (16, 64, 128, 1000)},
    **{f"in blocks of {block}": (blockwise(block), ((3,),)) for block in (4, 128, 1000)},
    "gradient summed row by row": (gradient(one_by_one), ((3,),)),
}

test_right = right_test(RIGHT)


def test_large_batches_are_left_out_where_they_take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "LONGEST", 0.0)
    check_layer(value(only(2000)), (3,))  # 41 rows are tried, 4099 are not
    with pytest.raises(AssertionError):
        check_layer(value(only(16)), (3,))


def test_large_batches_are_left_out_where_they_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "MOST_NUMBERS", 3 * 2000)
    check_layer(value(only(2000)), (3,))
    with pytest.raises(AssertionError):
        check_layer(value(only(500)), (3,))
