"""The layout: rows follow the graph, boxes never overlap, and places are the nearest there are."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import isotonic_regression

from deltawire.network.layout import lay_out, nearest_apart, rows_of


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    """Any graph without circles, in an order of computation."""
    count = draw(st.integers(1, 14))
    names = [f"n{place}" for place in range(count)]
    return {
        name: draw(st.lists(st.sampled_from(names[:place]), max_size=3)) if place else []
        for place, name in enumerate(names)
    }


@given(graphs())
def test_boxes_do_not_overlap_and_edges_run_down(sources: dict[str, list[str]]) -> None:
    widths = {name: 20.0 + 7 * place for place, name in enumerate(sources)}
    layout = lay_out(sources, widths, 10.0)
    for target, names in sources.items():
        for source in names:
            assert layout.row[source] < layout.row[target]
            bends = layout.bends[source, target]
            assert len(bends) == layout.row[target] - layout.row[source] + 1
            assert (bends[0], bends[-1]) == (layout.center[source], layout.center[target])
    for row in set(layout.row.values()):
        line = sorted((name for name in sources if layout.row[name] == row), key=layout.center.__getitem__)
        for one, other in pairwise(line):
            apart = layout.center[other] - layout.center[one]
            assert apart >= (widths[one] + widths[other]) / 2 + 10 - 1e-9
        for (source, target), bends in layout.bends.items():  # a line passes beside a box, never behind it
            if layout.row[source] < row < layout.row[target]:
                at = bends[row - layout.row[source]]
                assert all(abs(at - layout.center[name]) >= widths[name] / 2 + 10 - 1e-9 for name in line)
    edges = [layout.center[name] + side * widths[name] / 2 for name in sources for side in (-1, 1)]
    assert min(edges) >= -1e-9 and max(edges) <= layout.width + 1e-9


def test_an_input_stands_just_above_its_first_consumer() -> None:
    rows = rows_of({"x": [], "a": ["x"], "b": ["a"], "y": [], "loss": ["b", "y"], "alone": []})
    assert rows == {"x": 0, "a": 1, "b": 2, "y": 2, "loss": 3, "alone": 0}


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=12), st.floats(0, 20))
def test_places_are_nearest_in_least_squares(wanted: list[float], gap: float) -> None:
    places = nearest_apart(wanted, [gap] * (len(wanted) - 1))
    offsets = gap * np.arange(len(wanted))
    expected = isotonic_regression(np.array(wanted) - offsets) + offsets
    assert places == pytest.approx(expected.tolist(), abs=1e-9)


def test_nothing_is_laid_out_as_nothing() -> None:
    assert lay_out({}, {}, 10.0).width == 0
