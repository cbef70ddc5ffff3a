"""Rules about shapes: what they return, and the input that an error names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from deltawire_layers import LayerError, shapes


def refusal(rule: Callable[..., Any], *arguments: Any) -> tuple[str, int | None]:
    with pytest.raises(LayerError) as caught:
        rule(*arguments)
    return str(caught.value), caught.value.input


def test_equal_shapes() -> None:
    assert shapes.equal_shapes((2, 3)) == (2, 3)
    assert shapes.equal_shapes((2, 3), (2, 3), (2, 3)) == (2, 3)
    assert refusal(shapes.equal_shapes, (2,), (2,), (1,), (4,)) == (
        "expected the shape of the first input, [2], got [1]: nothing broadcasts; "
        "repeat an input by reshape and expand",
        2,
    )
    assert refusal(shapes.equal_shapes, (5, 3), (3,))[0].endswith("by reshape and expand")
    assert refusal(shapes.equal_shapes, (5, 3), (4,))[0].endswith("got [4]")
    assert refusal(shapes.equal_shapes, (5, 3), (5,))[0].endswith("got [5]")


def test_last_axis() -> None:
    assert shapes.last_axis((2, 3)) == 3
    assert shapes.last_axis((2, 0)) == 0
    message = "expected at least one axis, got a single number of shape ()"
    assert refusal(shapes.last_axis, ()) == (message, 0)
    assert refusal(shapes.last_axis, (), 1) == (message, 0)
    assert refusal(shapes.last_axis, (2, 0), 1) == (
        "expected at least one place along the last axis, got [2, 0]", 0,
    )  # fmt: skip
    assert refusal(shapes.last_axis, (1,), 2) == (
        "expected at least 2 places along the last axis, got [1]",
        0,
    )


def test_axis_index_counts_from_either_end() -> None:
    assert [shapes.axis_index(axis, (5, 6, 7)) for axis in range(-3, 3)] == [0, 1, 2, 0, 1, 2]
    assert refusal(shapes.axis_index, 2, (5, 6)) == (
        "axis 2 does not exist in shape [5, 6]: the batch is no axis of an example",
        0,
    )
    assert refusal(shapes.axis_index, -1, ()) == ("axis -1 does not exist in shape []", 0)


def test_axis_indices() -> None:
    assert shapes.axis_indices(None, (5, 6, 7)) == (0, 1, 2)
    assert shapes.axis_indices([-1, 0], (5, 6, 7)) == (2, 0)
    assert shapes.axis_indices([], (5,)) == ()
    assert refusal(shapes.axis_indices, [0, -2], (5, 6)) == (
        "axes [0, -2] name an axis of shape [5, 6] twice",
        0,
    )
    assert refusal(shapes.axis_indices, [1], (5,)) == (
        "axis 1 does not exist in shape [5]: the batch is no axis of an example",
        0,
    )


def test_without_axes() -> None:
    assert shapes.without_axes((0, 2), (5, 6, 7)) == (6,)
    assert shapes.without_axes((), (5, 6)) == (5, 6)


def test_shape_text_takes_a_word_for_any_size() -> None:
    assert shapes.shape_text(2, "any", 3) == "[2, any, 3]"
    assert shapes.shape_text() == "[]"
