"""Draw docs/architecture.svg, one request on its way through the rooms: `make docs`."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import NamedTuple

PICTURE = Path(__file__).parents[2] / "docs" / "architecture.svg"

SERVICE, ENGINE = "service/deltawire_service/", "service/deltawire_service/engine/"


class Box(NamedTuple):
    """A stop of the request: its number, what happens there, and the files, from the room's folder on."""

    number: str
    title: str
    files: tuple[str, ...]


class Room(NamedTuple):
    """A lane of the drawing. folder: where its files are. rows: the boxes on the way down and up, by row."""

    name: str
    folder: str
    rows: tuple[tuple[Box | None, Box | None], ...]


ROOMS = (
    Room(
        "Client",
        "client/deltawire/",
        (
            (
                Box("1", "Build, encode and send", ("client.py", "wire/", "transport/")),
                Box("14", "Decode the answer, or retry", ("wire/", "retries.py")),
            ),
        ),
    ),
    Room(
        "Server",
        SERVICE + "server/",
        (
            (
                Box("2", "Parse the head, receive the body", ("connections/", "gunicorn_worker.py")),
                Box("13", "Count it, log it, send it", ("../observability/",)),
            ),
        ),
    ),
    Room(
        "HTTP",
        SERVICE + "http/",
        (
            (
                Box("3", "Note the request, negotiate", ("request_context.py", "bodies.py")),
                Box("12", "Encode the document", ("bodies.py",)),
            ),
        ),
    ),
    Room(
        "Admission",
        SERVICE + "admission/",
        ((Box("4", "Check key, deadline and queue", ("authentication.py", "compute_queue.py")), None),),
    ),
    Room(
        "API",
        SERVICE,
        (
            (
                Box("5", "Parse the body and its options", ("api/compute/pipeline.py", "schemas/")),
                Box("11", "Name the results", ("api/compute/gradients.py",)),
            ),
        ),
    ),
    Room(
        "Networks",
        SERVICE + "networks/",
        ((Box("6", "Find the network, read its tensors", ("cache.py", "request_tensors.py")), None),),
    ),
    Room(
        "Engine",
        ENGINE,
        (
            (
                Box("7", "Plan steps, memory and cost", ("plan/program.py", "plan/memory_plan.py")),
                Box("10", "Sum the chunks", ("execute/batch_result.py",)),
            ),
            (
                Box("8", "Forward pass: values", ("execute/backprop.py",)),
                Box("9", "Backward pass: deltas, gradients", ("execute/backprop.py",)),
            ),
        ),
    ),
    Room(
        "Layers",
        "plugins/deltawire_layers/",
        (
            (
                Box("", "forward: the value of a node", ("layer.py", "layers/")),
                Box("", "equations: deltas and gradients", ("layer.py", "layers/")),
            ),
        ),
    ),
)
"""From the caller down to the layers. The way down is on the left, the way up on the right."""

DOWNWARDS = ("bytes", "environ", "request context", "admitted", "typed request", "network, arrays")
UPWARDS = ("bytes", "response", "document", None, "result", None)
"""Data on the arrows below each room, down to the engine. None: the arrow comes from farther below."""

CHECKS = ENGINE + "execute/layer_calls.py"
PROBLEMS = Box("!", "Answer errors", ("problems.py",))

WIDTH, TOP, ROW, GAP, PAD = 1060, 12, 62, 34, 10
LABEL, DOWN, UP, SIDE = 18, 160, 508, 862
BOX, SIDE_BOX = 322, 180

STYLE = """
.paper { fill: #fff } .lane { fill: #f1f4f8 } .box { fill: #fff; stroke: #b9c3cf }
text { font: 15px system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif; fill: #1c2430 }
.room { font-weight: 600 } .small { font-size: 13px; fill: #556170 }
.file { font: 12.5px ui-monospace, Menlo, "DejaVu Sans Mono", monospace; fill: #556170 }
.number { font-weight: 600; font-size: 13px; fill: #fff; text-anchor: middle }
.data { font-size: 13px; font-style: italic }
.line { fill: none; stroke-width: 2 } .dash { stroke-dasharray: 5 4 }
.down { stroke: #1a5fb4 } .up { stroke: #b3372f } .error { stroke: #856404 }
.down-fill { fill: #1a5fb4 } .up-fill { fill: #b3372f } .error-fill { fill: #856404 }
@media (prefers-color-scheme: dark) {
.paper { fill: #0d1117 } .lane { fill: #171d26 } .box { fill: #0d1117; stroke: #475466 }
text { fill: #e4eaf1 } .small, .file { fill: #a0adbb } .number { fill: #0d1117 }
.down { stroke: #79b8ff } .up { stroke: #ff938a } .error { stroke: #e0bf55 }
.down-fill { fill: #79b8ff } .up-fill { fill: #ff938a } .error-fill { fill: #e0bf55 }
}
"""


def paths() -> list[str]:
    """The files and folders that the drawing names, from the root of the repository on."""
    http = next(room for room in ROOMS if room.name == "HTTP")
    boxes = [(room, box) for room in ROOMS for row in room.rows for box in row if box]
    return [CHECKS, *(room.folder + file for room, box in [*boxes, (http, PROBLEMS)] for file in box.files)]


def picture() -> str:
    """The drawing as SVG."""
    height = lanes()[-1][1] + TOP
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
            f'height="{height}" role="img" aria-labelledby="title">',
            '<title id="title">One request on its way through the rooms, down to the layers and back</title>',
            f"<style>{STYLE}</style>",
            f'<rect class="paper" width="{WIDTH}" height="{height}" rx="8"/>',
            *draw_rooms(),
            *draw_arrows(),
            *draw_errors(),
            "</svg>\n",
        ]
    )


def lanes() -> list[tuple[int, int]]:
    """The top and the bottom of each room's lane."""
    found, top = list[tuple[int, int]](), TOP
    for room in ROOMS:
        bottom = top + 2 * PAD + ROW * len(room.rows) + GAP * (len(room.rows) - 1)
        found.append((top, bottom))
        top = bottom + GAP
    return found


def draw_rooms() -> Iterator[str]:
    for room, (top, bottom) in zip(ROOMS, lanes(), strict=True):
        yield f'<rect class="lane" x="8" y="{top}" width="{WIDTH - 16}" height="{bottom - top}" rx="8"/>'
        yield text(LABEL, top + 30, room.name, "room")
        for line, part in enumerate(folder_lines(room.folder)):
            yield text(LABEL, top + 50 + 16 * line, part, "file")
        for row, boxes in enumerate(room.rows):
            for x, box, way in zip((DOWN, UP), boxes, ("down", "up"), strict=True):
                if box:
                    yield from draw_box(x, top + PAD + row * (ROW + GAP), BOX, box, way)


def folder_lines(folder: str) -> list[str]:
    """A folder in lines that fit beside the boxes."""
    first, rest = folder.replace("deltawire_service", "…").rsplit("/", 1)[0].rsplit("/", 1)
    return [f"{first}/…/", "api/ schemas/"] if rest == "…" else [f"{first}/", f"{rest}/"]


def draw_box(x: int, y: int, width: int, box: Box, way: str) -> Iterator[str]:
    yield f'<rect class="box" x="{x}" y="{y}" width="{width}" height="{ROW}" rx="6"/>'
    if box.number:
        yield f'<circle class="{way}-fill" cx="{x + 22}" cy="{y + 23}" r="12"/>'
        yield text(x + 22, y + 27.5, box.number, "number")
    left = x + (42 if box.number else 16)
    yield text(left, y + 28, box.title, "")
    yield text(left, y + 49, "  ".join(box.files), "file")


def draw_arrows() -> Iterator[str]:
    """The data on its way: down to the engine, through the layers, and up again."""
    where = lanes()
    engine = len(DOWNWARDS)
    middle = BOX // 2
    for place, data in enumerate(DOWNWARDS):
        yield from arrow(DOWN + middle, where[place][1] - PAD, where[place + 1][0] + PAD, "down", data)
    bottoms = [place for place in range(engine) if UPWARDS[place]]
    for place, below in zip(bottoms, [*bottoms[1:], engine], strict=True):
        start = where[below if UPWARDS[below - 1] is None else place + 1][0] + PAD
        yield from arrow(UP + middle, start, where[place][1] - PAD, "up", str(UPWARDS[place]))
    top, bottom = where[engine]
    first, second = top + PAD + ROW, bottom - PAD - ROW
    yield from arrow(DOWN + middle, first, second, "down", "program, plan; in its turn")
    yield from arrow(UP + middle, second, first, "up", "deltas, gradients")
    yield path(f"M{DOWN + BOX} {second + 31}H{UP - 8}", "down")
    yield head(UP, second + 31, "right", "down")
    below = where[engine + 1][0] + PAD
    for x, way in ((DOWN, "down"), (UP, "up")):
        yield from arrow(x + middle, bottom - PAD, below, way, "", both=True)
    yield text(DOWN + middle + 14, below - 20, "checked by", "data")
    yield text(DOWN + middle + 95, below - 20, CHECKS.removeprefix(ENGINE), "file")


def draw_errors() -> Iterator[str]:
    """The way of what goes wrong: from any room below to the problem document."""
    where = {room.name: lane for room, lane in zip(ROOMS, lanes(), strict=True)}
    x = SIDE + SIDE_BOX // 2
    yield from draw_box(SIDE, where["HTTP"][0] + PAD, SIDE_BOX, PROBLEMS, "error")
    for name in ("Admission", "API", "Networks", "Engine"):
        y = where[name][0] + PAD + ROW // 2
        yield path(f"M{UP + BOX + 8} {y}H{x}", "error dash")
    yield path(f"M{x} {y}V{where['HTTP'][1] + 2}", "error dash")
    yield head(x, where["HTTP"][1] - PAD, "up", "error")
    yield text(SIDE + 2, where["API"][0] - 13, "the fault", "data")
    yield path(f"M{SIDE} {where['HTTP'][0] + 41}H{UP + BOX + 8}", "error dash")
    yield head(UP + BOX, where["HTTP"][0] + 41, "left", "error")


def arrow(x: int, start: int, end: int, way: str, data: str, both: bool = False) -> Iterator[str]:
    """A vertical arrow, and beside it the name of the data. both: with a head at each end."""
    sign = 1 if end > start else -1
    yield path(f"M{x} {start + (8 * sign if both else 0)}V{end - 8 * sign}", way)
    yield head(x, end, "down" if sign > 0 else "up", way)
    if both:
        yield head(x, start, "up" if sign > 0 else "down", way)
    if data:
        at = max(start, end) if sign > 0 else start
        yield text(x + 14, at - (abs(end - start) - 10) // 2 if sign > 0 else end + 29, data, "data")


def head(x: int, y: int, towards: str, way: str) -> str:
    """The head of an arrow, its tip at a point."""
    turn = {"down": 0, "left": 90, "up": 180, "right": 270}[towards]
    return f'<path class="{way}-fill" d="M0 0L-5.5 -10H5.5Z" transform="translate({x} {y}) rotate({turn})"/>'


def path(line: str, names: str) -> str:
    return f'<path class="line {names}" d="{line}"/>'


def text(x: float, y: float, content: str, name: str) -> str:
    kind = f' class="{name}"' if name else ""
    return f'<text x="{x}" y="{y}"{kind} xml:space="preserve">{escape(content)}</text>'


if __name__ == "__main__":
    PICTURE.write_text(picture())
    print(f"{PICTURE.name}: {len(ROOMS)} rooms")
