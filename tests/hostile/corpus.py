"""Reads the corpus, the files `*.http` beside this one: what comes in, and what must come back.

    ### F16 minus one: 422 label_out_of_range /data/y/1
    POST /v1/gradients
    /data/y/1 = -1

A case has a name (it begins with the row of the catalogue it belongs to), the status and code that must come
back (`-` where there is none), and, where it matters, where the first fault points, and `closed` when the
connection must be closed, so that nothing left over is taken for a request.

**A short case** has a request line without a version. Its route may be `/v1/*`, which stands for each that
takes a body. Below it stands what makes the good request of the route bad: `POINTER = JSON`, `POINTER gone`,
or `POINTER := TEXT`, which need not be JSON. It is sent as JSON, and as a binary body, in which only what is
not changed is a tensor; `json` or `binary` after the route means one of the two. Any other text is the whole
body.

**A raw case** has a version, and is sent as it stands, its lines ended by CR LF; `\\n`, `\\r`, `\\0`, `\\xff`
are such bytes. Its body is what follows the first empty line. `{{length}}` is the length of the body.
`half close` in place of `closed` means that the client ends its side after sending.

In both, `{{text * 1000}}` is a text repeated, `{{good}}` the good request for `/v1/gradients` as JSON, and a
body `{{empty}}` none, and `{{safetensors HEADER + 48}}` a binary body with this header, in JSON, and 48 zero
bytes of data.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from support.posting import GONE, good, put

from deltawire import wire

FOLDER = Path(__file__).parent
POSTS = ("gradients", "forward", "init", "plan", "check")


class Case(NamedTuple):
    """One exchange."""

    id: str
    sent: bytes
    status: int
    code: str
    pointer: str
    closed: bool
    half_close: bool


def cases() -> list[Case]:
    """The whole corpus. Raises ValueError naming a case that cannot be read."""
    return [case for file in sorted(FOLDER.glob("*.http")) for case in read(file.read_text())]


TITLE = re.compile(
    r"(?P<name>.+): (?P<status>\d{3}) (?P<code>[a-z_]+|-)(?P<pointer> /\S*)?(?P<end> closed| half close)?\Z"
)


def read(text: str) -> Iterator[Case]:
    for block in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
        title, _, rest = block.partition("\n")
        told = TITLE.match(title)
        if told is None:
            raise ValueError(f"not `NAME: STATUS CODE [POINTER] [closed]`: {title}")
        expected = (
            int(told["status"]), told["code"], (told["pointer"] or "").strip(),
            told["end"] == " closed", told["end"] == " half close",
        )  # fmt: skip
        for variant, sent in requests(rest.rstrip("\n")):
            yield Case(told["name"] + variant, sent, *expected)


def requests(text: str) -> Iterator[tuple[str, bytes]]:
    """What a case sends, with what tells its variants apart."""
    line, _, rest = text.partition("\n")
    if re.search(r" HTTP/", line) or len(line.split(" ")) < 2:
        yield "", raw(text)
        return
    method, path, *only = line.split(" ")
    for route in POSTS if path == "/v1/*" else [path]:
        path = f"/v1/{route}" if route in POSTS else route
        for kind in only or ["json", "binary"]:
            media_type = wire.JSON if kind == "json" else wire.SAFETENSORS
            body = whole(rest) if given_whole(rest) else spoilt(path.rpartition("/")[2], rest, media_type)
            head = f"{method} {path} HTTP/1.1\r\nHost: deltawire\r\nContent-Type: {media_type}\r\n"
            variant = f" {path}" if route in POSTS and text.startswith("POST /v1/*") else ""
            yield f"{variant} {kind}", f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


# Raw cases.

ESCAPE = re.compile(rb"\\(x[0-9a-f]{2}|[nrt0\\])")
PLAIN = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"0": b"\0", b"\\": b"\\"}


def raw(text: str) -> bytes:
    head, _, body = text.partition("\n\n")
    sent = unescaped(filled(body))
    head_sent = filled(head).replace(b"{{length}}", str(len(sent)).encode()).replace(b"\n", b"\r\n")
    return unescaped(head_sent) + b"\r\n\r\n" + sent


def unescaped(text: bytes) -> bytes:
    def byte(match: re.Match[bytes]) -> bytes:
        what = match[1]
        return PLAIN[what] if what in PLAIN else bytes.fromhex(what[1:].decode())

    return ESCAPE.sub(byte, text)


REPEATED = re.compile(r"\{\{(.+?) \* (\d+)\}\}", re.DOTALL)


def filled(text: str) -> bytes:
    """The text with what stands in double braces written out."""
    if "{{safetensors" in text:
        inside = text.partition("{{safetensors ")[2].rpartition("}}")[0]
        header, _, data = inside.rpartition(" + ")
        packed = filled(header)
        return len(packed).to_bytes(8, "little") + packed + bytes(int(data))
    text = text.replace("{{good}}", json.dumps(good())).replace("{{empty}}", "")
    return REPEATED.sub(lambda match: match[1] * int(match[2]), text).encode("utf-8", "surrogateescape")


# Short cases.

CHANGE = re.compile(r"(/\S*) (gone|:=|=) ?(.*)\Z")
FIELDS = {
    "gradients": (),
    "forward": (),
    "check": (),
    "plan": ("params", "data"),
    "init": ("params", "data"),
}
"""Fields of the good request that a route does not take."""


def given_whole(text: str) -> bool:
    return not all(CHANGE.match(line) for line in text.splitlines())


def whole(text: str) -> bytes:
    return unescaped(filled(text)) if "{{safetensors" not in text else filled(text)


def spoilt(route: str, text: str, media_type: str) -> bytes:
    """The body of the good request of a route, changed."""
    document = deepcopy(good())
    document["values"] = ["scores"]
    for missing in FIELDS.get(route, ()):
        del document[missing]
    if route in ("check", "init"):
        del document["values"]
    changed, texts = set(), {}
    for line in text.splitlines():
        pointer, how, value = CHANGE.match(line).groups()  # type: ignore[union-attr]
        if how == ":=":
            texts[f'"\\u0001{len(texts)}"'.encode()] = unescaped(filled(value))
            put(document, pointer, f"\1{len(texts) - 1}")
        else:
            put(document, pointer, GONE if how == "gone" else json.loads(filled(value)))
        changed.add(tuple(pointer.split("/")[1:3]))
    body = json.dumps(document).encode() if media_type == wire.JSON else in_binary(document, changed)
    for place, value in texts.items():
        body = body.replace(place, value)
    return body


def in_binary(document: dict[str, Any], left: set[tuple[str, ...]]) -> bytes:
    """A binary body; its tensors are those of the document but for those left in the JSON."""
    floats = "float32" if document.get("dtype") == "float32" else "float64"
    header, data = {}, b""
    for place in ("params", "data"):
        leaves = document.get(place)
        for name in [*leaves] if isinstance(leaves, dict) else []:
            if (place, name) not in left and isinstance(leaves[name], list):
                array = np.array(leaves.pop(name), "int64" if name == "y" else floats)
                start, data = len(data), data + array.tobytes()
                code = {"int64": "I64", "float32": "F32", "float64": "F64"}[array.dtype.name]
                header[f"{place}/{name}"] = {
                    "dtype": code, "shape": array.shape, "data_offsets": [start, len(data)]
                }  # fmt: skip
    packed = json.dumps({"__metadata__": {"request": json.dumps(document)}} | header).encode()
    return len(packed).to_bytes(8, "little") + packed + data
