"""Draw a network as a static SVG, for notebooks and web pages; no service is needed.

Lines and letters take the color of the page around the picture, so that it reads on light and on dark.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import Any

from deltawire.network.graph import sources_of
from deltawire.network.layout import Layout, lay_out
from deltawire.text import counted, shape_text

MOST_PLACES = 400
"""Inputs and nodes in a picture; more would be a drawing that nobody can read."""

BOX, SPACE, GAP, MARGIN, LINE = 36.0, 26.0, 18.0, 6.0, 18.0
"""Pixels: height of a box, space between two rows, gap between two boxes in a row, margin, line of text."""

LETTER, LONGEST, NARROWEST = 7.3, 26, 60.0
"""Width of a letter in pixels, generously; letters in a line before it is cut; least width of a box."""

COLORS = {
    "input": "#3b82f6", "parameter": "#10b981", "noise": "#8b5cf6", "node": "currentColor", "loss": "#d97706"
}  # fmt: skip
"""By role: fills are faint and outlines full, which reads on white and on black."""


def svg(spec: Mapping[str, Any]) -> str:
    """Return the picture of a network as the text of an SVG element.

    Args:
        spec: Of the network, with a name for every node.

    Raises:
        Refused: The spec is not a graph without circles.
    """
    sources = sources_of(spec)
    if not sources:
        return "<p>This network is empty: net.input and net.layer build it.</p>"
    if len(sources) > MOST_PLACES:
        return f"<p>{len(spec['nodes']):,} nodes are too many for a picture: print(net.summary(client))</p>"
    texts = texts_of(spec)
    widths = {name: max(NARROWEST, LETTER * max(map(len, lines)) + 16) for name, (lines, _) in texts.items()}
    layout = lay_out(sources, widths, GAP)
    width = layout.width + 2 * MARGIN
    height = max(layout.row.values(), default=0) * (BOX + SPACE) + BOX + 2 * MARGIN
    if penalty := _penalty(spec):
        width, height = max(width, LETTER * len(penalty) + 2 * MARGIN), height + LINE
    loss = spec.get("loss", ())
    losses = {loss} if isinstance(loss, str) else set(loss)
    parts = [
        *(_edge(layout, edge) for edge in layout.bends),
        *(_box(layout, name, widths[name], _role(name, spec, losses), *texts[name]) for name in sources),
        f'<text x="{MARGIN:.1f}" y="{height - MARGIN:.1f}" font-size="11">{escape(penalty)}</text>'
        * bool(penalty),
    ]
    inputs, nodes = counted(len(spec["inputs"]), "input"), counted(len(spec["nodes"]), "node")
    label = escape(f"Network of {inputs} and {nodes}", quote=True)
    style = "max-width:100%;height:auto;color:inherit;font:12px system-ui,sans-serif"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}" style="{style}" '
        f'viewBox="0 0 {width:.1f} {height:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'fill="currentColor">{"".join(parts)}</svg>'
    )


def _penalty(spec: Mapping[str, Any]) -> str:
    """Return the line about the regularization, which belongs to no place; empty without one."""
    if "regularization" not in spec:
        return ""
    penalty = spec["regularization"]
    globs = ", ".join(penalty.get("parameters", ["*.weight"]))
    return _cut(f"and (λ/2)·ΣW² with λ = {penalty['l2']}, W: {globs}", 2 * LONGEST)


def texts_of(spec: Mapping[str, Any]) -> dict[str, tuple[list[str], str]]:
    """Return the two lines in the box of each place, and its whole description."""
    texts = {}
    for name, entry in spec["inputs"].items():
        shape = shape_text(entry["shape"])
        notes = [
            shape,
            *([entry["dtype"]] if "dtype" in entry else []),
            *[key for key in ("shared", "constant") if entry.get(key)],
        ]
        if "parameter" in entry:
            notes.append("learned")
        if "noise" in entry:
            notes.append("noise")
        texts[name] = ([_cut(name), _cut(" ".join(notes))], f"{name}: input {' '.join(notes)}")
    for node in spec["nodes"]:
        config = ", ".join(f"{key}={json.dumps(value)}" for key, value in node.get("config", {}).items())
        kind = f"{node['kind']}({config})" if config else node["kind"]
        tied = f"tied to {node['tied_to']}{'ᵀ' * node.get('transpose', False)}" if "tied_to" in node else ""
        title = f"{node['name']}: {kind}{f', {tied}' if tied else ''}"
        texts[node["name"]] = ([_cut(node["name"]), _cut(kind) + (f", {_cut(tied)}" if tied else "")], title)
    return texts


def _cut(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _role(name: str, spec: Mapping[str, Any], losses: set[str]) -> str:
    if name in spec["inputs"]:
        return next((key for key in ("parameter", "noise") if key in spec["inputs"][name]), "input")
    return "loss" if name in losses else "node"


def _top(row: int) -> float:
    return MARGIN + row * (BOX + SPACE)


def _box(layout: Layout, name: str, width: float, role: str, lines: Sequence[str], title: str) -> str:
    """Return the box of a place with its two lines; the whole description shows as a tooltip."""
    color, x, y = COLORS[role], MARGIN + layout.center[name], _top(layout.row[name])
    radius = BOX / 2 if role in ("input", "parameter", "noise") else 6
    rect = (
        f'<rect x="{x - width / 2:.1f}" y="{y:.1f}" width="{width:.1f}" height="{BOX:.0f}" rx="{radius:.0f}" '
        f'fill="{color}" fill-opacity=".09" stroke="{color}" stroke-opacity=".75"/>'
    )
    written = "".join(
        f'<text x="{x:.1f}" y="{y + 15 + 14 * at:.1f}" text-anchor="middle" {look}>{escape(line)}</text>'
        for at, (line, look) in enumerate(
            zip(lines, ('font-weight="600"', 'font-size="11" opacity=".8"'), strict=True)
        )
    )
    return f"<g><title>{escape(title)}</title>{rect}{written}</g>"


def _edge(layout: Layout, edge: tuple[str, str]) -> str:
    """Return the line of an edge, straight down past the rows between, with a head at its end."""
    first, bends = layout.row[edge[0]], [MARGIN + bend for bend in layout.bends[edge]]
    x, y = bends[0], _top(first) + BOX
    path = [f"M{x:.1f} {y:.1f}"]
    for at, (before, after) in enumerate(pairwise(bends), start=first):
        upper, lower = _top(at) + BOX, _top(at + 1)
        middle, last = (upper + lower) / 2, at + 1 == layout.row[edge[1]]
        end = lower - 4 if last else lower
        path.append(f"C{before:.1f} {middle:.1f} {after:.1f} {middle:.1f} {after:.1f} {end:.1f}")
        x, y = after, lower
        if not last:
            path.append(f"V{lower + BOX:.1f}")
    head = f"M{x - 3.5:.1f} {y - 6:.1f}L{x:.1f} {y:.1f}L{x + 3.5:.1f} {y - 6:.1f}Z"
    return (
        f'<path d="{"".join(path)}" fill="none" stroke="currentColor" stroke-opacity=".55"/>'
        f'<path d="{head}" fill-opacity=".7"/>'
    )
