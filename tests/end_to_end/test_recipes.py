"""The recipes find what they say they find, and their page lists them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.console import ROOT

RECIPES = ROOT / "examples" / "recipes"


@pytest.mark.recipes
@pytest.mark.parametrize("recipe", sorted(RECIPES.glob("*.py")), ids=lambda path: path.stem)
def test_a_recipe_finds_what_it_says(recipe: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DELTAWIRE_")}
    run = subprocess.run(
        [sys.executable, recipe], capture_output=True, text=True, timeout=300, cwd=tmp_path, env=environment
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"\d", run.stdout.splitlines()[-1])


def test_the_page_lists_every_recipe() -> None:
    listed = re.findall(r"^\| \[(.+?)\]\(\1\)", (RECIPES / "README.md").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(path.name for path in RECIPES.glob("*.py"))
