"""The command line in this process, and the examples of it in the documentation."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import NamedTuple

from click.testing import CliRunner, Result

from deltawire_service.cli.group import deltawire

ROOT = Path(__file__).parents[2]
PLAIN = {"FORCE_COLOR": None, "DELTAWIRE_URL": None, "PORT": None}
"""Nothing of this machine's terminal and settings shows."""


def run(*arguments: str | Path, given: str | None = None, columns: int = 80) -> Result:
    """What `deltawire` does with these arguments; `given` is its standard input."""
    env = PLAIN | {"COLUMNS": str(columns)}
    return CliRunner().invoke(deltawire, [*map(str, arguments)], input=given, env=env, prog_name="deltawire")


class Block(NamedTuple):
    """A code block of a page: its language, the file it is said to be (part of), its text."""

    language: str
    file: str
    text: str


def blocks(page: Path) -> list[Block]:
    """The code blocks of a page."""
    found = re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    return [Block(*block) for block in found]


def without_times(text: str) -> str:
    """The text of a progress bar, whatever time it took."""
    return re.sub(r"\b\d:\d\d:\d\d\b", "0:00:00", text)


def outcome(command: str) -> str:
    """The output of a command line, without the spaces at the ends of lines."""
    program, *arguments = shlex.split(command)
    assert program == "deltawire"
    return "".join(f"{line.rstrip()}\n" for line in run(*arguments).output.splitlines())


def told(text: str) -> tuple[str, re.Pattern[str]]:
    """The command of a console block, and a pattern for its output.

    A line `⋮` stands for any lines, a version for any version, and a number like 3e-17 for any such number,
    since rounding differs between machines.
    """
    first, _, rest = text.partition("\n")
    pattern = ""
    for line in map(re.escape, rest.splitlines()):
        line = re.sub(r"\de(\\-|\\\+)\d\d", r"\\de[-+]\\d\\d", line)
        line = re.sub(r"(deltawire\\ )\d+\\\.\d+\\\.\d+", r"\1[\\d.]+", line)
        pattern += r"(?:.*\n)*" if line == "⋮" else f"{line}\n"
    return first.removeprefix("$ "), re.compile(pattern)
