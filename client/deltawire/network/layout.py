"""Lay out a graph in layers from top to bottom, edges between neighbouring layers only.

This is Sugiyama's method. A node's longest path gives its row, and an edge has a bend in every row that it
passes. The mean place of the neighbours gives the order in a row, and then the place, as near as room allows.

Source: Sugiyama, Tagawa & Toda, "Methods for Visual Understanding of Hierarchical System Structures", IEEE
Transactions on Systems, Man, and Cybernetics 11, 1981.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

SWEEPS = 12
"""Passes over all rows, down and up in turn; pictures no longer change visibly after so many."""

Point = tuple[str, int]
"""A node in its row, or the bend of an edge from that node in a row further down."""


class Layout(NamedTuple):
    """The places of a graph, in the unit of the widths.

    Attributes:
        row: Of each node, 0 at the top.
        center: The middle of each node, from the left.
        bends: By edge (source, target), the middle of its place in every row, both ends included.
        width: Of the whole picture.
    """

    row: Mapping[str, int]
    center: Mapping[str, float]
    bends: Mapping[tuple[str, str], Sequence[float]]
    width: float


def lay_out(sources: Mapping[str, Sequence[str]], widths: Mapping[str, float], gap: float) -> Layout:
    """Return the layout of a graph.

    Args:
        sources: The nodes that lead to each node, in an order of computation.
        widths: Of each node's box.
        gap: Least space between two boxes beside each other.
    """
    row = rows_of(sources)
    points: list[list[Point]] = [[] for _ in range(max(row.values(), default=-1) + 1)]
    for name, own in row.items():
        points[own].append((name, own))
    above: dict[Point, list[Point]] = {}
    below: dict[Point, list[Point]] = {}
    for target, names in sources.items():
        for source in dict.fromkeys(names):
            path = [(source, at) for at in range(row[source], row[target])] + [(target, row[target])]
            for upper, lower in pairwise(path):
                if lower not in above and lower[0] == source:
                    points[lower[1]].append(lower)
                if upper not in above.setdefault(lower, []):
                    above[lower].append(upper)
                    below.setdefault(upper, []).append(lower)
    _order(points, above, below)
    room = {
        point: widths[point[0]] if row[point[0]] == at else 0.0
        for at, line in enumerate(points)
        for point in line
    }
    center = _centers(points, above, below, room, gap)
    left = min((center[point] - room[point] / 2 for point in center), default=0.0)
    right = max((center[point] + room[point] / 2 for point in center), default=0.0)
    bends = {
        (source, target): [center[source, at] - left for at in range(row[source], row[target])]
        + [center[target, row[target]] - left]
        for target, names in sources.items()
        for source in names
    }
    return Layout(row, {name: center[name, row[name]] - left for name in row}, bends, right - left)


def rows_of(sources: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return the row of each node: below all that lead to it, and an input just above its first consumer."""
    row: dict[str, int] = {}
    for name, names in sources.items():
        row[name] = 1 + max((row[source] for source in names), default=-1)
    first: dict[str, int] = {}
    for name, names in sources.items():
        for source in names:
            first[source] = min(first.get(source, row[name]), row[name])
    return {name: own if sources[name] or name not in first else first[name] - 1 for name, own in row.items()}


def _order(
    points: list[list[Point]], above: Mapping[Point, list[Point]], below: Mapping[Point, list[Point]]
) -> None:
    """Sort each row by the mean place of the neighbours in the row before, downwards and upwards in turn."""
    for sweep in range(SWEEPS):
        neighbours, lines = (above, points[1:]) if sweep % 2 == 0 else (below, points[-2::-1])
        for line in lines:
            place = {point: at for row in points for at, point in enumerate(row)}
            line.sort(
                key=lambda point: _mean([place[other] for other in neighbours.get(point, ())], place[point])
            )


def _centers(
    points: list[list[Point]],
    above: Mapping[Point, list[Point]],
    below: Mapping[Point, list[Point]],
    room: Mapping[Point, float],
    gap: float,
) -> dict[Point, float]:
    """Return the middle of every point: each row as near to its neighbours' mean as its room allows."""
    center = {point: 0.0 for line in points for point in line}
    for sweep in range(SWEEPS):
        neighbours, lines = (above, points) if sweep % 2 == 0 else (below, points[::-1])
        for line in lines:
            wanted = [
                _mean([center[other] for other in neighbours.get(point, ())], center[point]) for point in line
            ]
            apart = [(room[one] + room[other]) / 2 + gap for one, other in pairwise(line)]
            center.update(zip(line, nearest_apart(wanted, apart), strict=True))
    return center


def nearest_apart(wanted: Sequence[float], apart: Sequence[float]) -> list[float]:
    """Return ascending places nearest to the wanted ones, in least squares, each so far from the one before.

    Args:
        wanted: Places in the order that they keep.
        apart: Least distance of each place but the first from the one before it.

    Less the distances, it is a regression onto ascending numbers: neighbours in the wrong order share their
    mean ("pool adjacent violators").
    """
    offsets = list(accumulate(apart, initial=0.0))[: len(wanted)]
    pools: list[tuple[float, int]] = []  # mean and size
    for place, offset in zip(wanted, offsets, strict=True):
        mean, size = place - offset, 1
        while pools and pools[-1][0] > mean:
            before, count = pools.pop()
            mean, size = (before * count + mean * size) / (count + size), count + size
        pools.append((mean, size))
    means = [mean for mean, size in pools for _ in range(size)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]


def _mean(places: Iterable[float], default: float) -> float:
    places = list(places)
    return sum(places) / len(places) if places else default
