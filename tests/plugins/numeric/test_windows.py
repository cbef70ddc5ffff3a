"""Where windows lie, against a count of every place one by one."""

from __future__ import annotations

from itertools import product
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError

from deltawire_layers import LayerError
from deltawire_layers.numeric import windows as module
from deltawire_layers.numeric.windows import Sizes, Window, counts, reads

windows = st.builds(
    Window,
    *(st.integers(1, 5), st.integers(1, 4), st.tuples(st.integers(0, 6), st.integers(0, 6))),
    *(st.integers(1, 4), st.booleans()),
)


@given(windows, st.integers(1, 9), st.data())
def test_reads_are_those_of_a_walk(window: Window, size: int, data: st.DataObject) -> None:
    reach = window.dilation * (window.kernel - 1)
    before, after = window.padding
    starts = list(range(-before, size + after - reach, window.stride))
    further = (starts[-1] + window.stride) if starts else -before
    if window.ceil and further < min(size, size + after - reach + window.stride - 1):
        starts.append(further)  # the last window may end outside, if it starts inside
    assert max(0, window.count(size)) == len(starts)
    if not starts:
        return
    first = data.draw(st.integers(0, len(starts) - 1))
    stop = data.draw(st.integers(first + 1, len(starts)))
    walked = {
        (place, number - first, at)
        for number, place in product(range(first, stop), range(window.kernel))
        if 0 <= (at := starts[number] + place * window.dilation) < size
    }
    outs, ins = np.arange(stop - first), np.arange(size)
    triples = [
        (place, int(number), int(at))
        for place, windows, numbers in window.reads(size, first, stop)
        for number, at in zip(outs[windows], ins[numbers], strict=True)
    ]
    assert len(triples) == len(set(triples))
    assert set(triples) == walked


def test_axes_are_combined_in_row_major_order() -> None:
    along = (Window(2, 1, (0, 0)), Window(2, 2, (0, 0)))
    places = [place for place, _, _ in reads(along, (3, 4), (slice(0, 2), slice(0, 2)))]
    assert places == [(0, 0), (0, 1), (1, 0), (1, 1)]


@given(st.lists(st.tuples(windows, st.integers(1, 6)), min_size=1, max_size=3), st.booleans())
def test_a_large_kernel_is_walked_in_the_same_order_as_a_small_one(
    axes: list[tuple[Window, int]], large: bool
) -> None:
    bounds = tuple(slice(0, window.count(size)) for window, size in axes)
    if any(bound.stop < 1 for bound in bounds):
        return
    along = [window.reads(size, 0, window.count(size)) for window, size in axes]
    expected = [tuple(zip(*each, strict=True)) for each in product(*along)]
    with patch.object(module, "KEPT_PLACES", 0 if large else 2**12):
        assert list(reads(*zip(*axes, strict=True), bounds)) == expected


def test_a_huge_kernel_is_walked_where_numbers_are() -> None:
    """What a caller can ask for in a few bytes is not a long loop."""
    window = Window(kernel=10**9, stride=1, padding=(5 * 10**8, 5 * 10**8))
    assert window.count(3) == 4
    assert len(list(window.reads(3, 0, 4))) == 6


def test_a_kernel_that_does_not_fit_is_named() -> None:
    with pytest.raises(
        LayerError, match=r"reaches over 5 numbers, but axis -1 has 2, 4 with padding"
    ) as caught:
        counts((Window(1, 1, (0, 0)), Window(3, 1, (1, 1), 2)), (1, 2))
    assert caught.value.input == 0


class Config(Schema):
    size = Sizes(2, 1, "how large", load_default=None, allow_none=True)


@pytest.mark.parametrize(
    ("given", "loaded", "dumped"), [(3, (3, 3), [3, 3]), ([3, 1], (3, 1), [3, 1]), (None, None, None)]
)
def test_a_size_is_one_number_or_a_list(given: object, loaded: object, dumped: object) -> None:
    config = Config().load({"size": given})
    assert config == {"size": loaded}
    assert Config().dump(config) == {"size": dumped}


def test_the_json_schema_names_every_form() -> None:
    """`anyOf` is what the catalogue shows of the field."""
    one = {"type": "integer", "minimum": 0}
    each = {"type": "array", "items": one, "minItems": 1, "maxItems": 1}
    assert Sizes(1, 0, "how large").metadata == {"description": "how large", "anyOf": [one, each]}
    assert Config().fields["size"].metadata["anyOf"][-1] == {"type": "null"}


@pytest.mark.parametrize("given", [0, -1, 1.0, True, "1", [1], [1, 1, 1], [1, 0], [1, True], [[1, 1], 1], {}])
def test_anything_else_is_no_size(given: object) -> None:
    with pytest.raises(
        ValidationError, match="expected a whole number of at least 1, or a list of 2 such numbers"
    ):
        Config().load({"size": given})


@given(windows, st.integers(1, 9), st.booleans())
def test_counted_places_are_those_of_a_walk(window: Window, size: int, padded: bool) -> None:
    before, after = window.padding
    low, high = (-before, size + after) if padded else (0, size)
    places = range(window.kernel)
    starts = (number * window.stride - before for number in range(max(0, window.count(size))))
    walked = [sum(low <= start + place * window.dilation < high for place in places) for start in starts]
    assert window.counted(size, padded).tolist() == walked


def test_counted_places_of_huge_windows() -> None:
    window = Window(10**30, 10**31, (1, 1), ceil=True)
    assert [window.counted(3, padded).tolist() for padded in (False, True)] == [[3], [5]]
    far = Window(2, 2**70, (2**69, 2**69), 2**70)  # one window, whose places are on either side of the axis
    assert [far.counted(5, padded).tolist() for padded in (False, True)] == [[0], [2]]
