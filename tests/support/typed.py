"""The tools that make and check typed clients, as .ci/typed installs them."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "client" / "typescript"
MODULES = PACKAGE / "node_modules"
PYTHON = ROOT / ".venv-typed" / "bin"
RECIPES = ROOT / "examples" / "recipes" / "without_the_sdk"
STRICT = ("--strict", "--target", "es2022", "--module", "nodenext")
PROGRAMS = ROOT / "tests" / "typed" / "programs"


def snippets(page: str, imported: str) -> list[tuple[str, str]]:
    """Return the TypeScript programs of a page that import something, each with what it prints."""
    found = re.findall(r"```ts\n(.*?)```\n\n```text\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    return [(program, printed) for program, printed in found if imported in program]


def run(*command: str | Path, folder: Path = ROOT, seconds: float = 120, **variables: str) -> str:
    """Run a program in a folder, with these variables; return what it prints, and fail as it does."""
    paths = f"{PYTHON}:{MODULES / '.bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PATH": paths} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))} exits with {done.returncode}:\n{done.stdout}"
    return done.stdout
