"""The page of every protocol does what it shows, and the examples learn what they should."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.console import ROOT, blocks, run
from support.service import Service, running_service

pytestmark = [pytest.mark.clients, pytest.mark.filterwarnings("default")]
EXAMPLES = ROOT / "examples" / "clients"


def publish_as_shown(page: Path, folder: Path, place: Path) -> None:
    """Run the page's `deltawire publish`, which begins in `place`, into this folder."""
    commands = [line for block in blocks(page) if block.language == "sh" for line in block.text.splitlines()]
    publishing = [line.split() for line in commands if line.startswith("deltawire publish ")]
    assert publishing and commands[-1] == "deltawire serve --networks networks"
    for _, command, file, *options in publishing:
        assert options[-2:] == ["--into", "networks"]
        assert run(command, place / file, *options[:-1], folder).exit_code == 0


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("networks")
    for page in ("tesseract", "umbridge", "kserve"):
        publish_as_shown(ROOT / "docs" / f"{page}.md", folder, ROOT)
    publish_as_shown(EXAMPLES / "README.md", folder, EXAMPLES)
    with running_service("-w", "2", networks_dir=str(folder), queue_seconds="5") as url:
        yield url


@pytest.mark.parametrize("page", ["tesseract", "umbridge", "kserve"])
def test_the_page_prints_what_it_says(page: str, shown: Service) -> None:
    (snippet,) = [block.text for block in blocks(ROOT / "docs" / f"{page}.md") if block.language == "python"]
    (printed,) = [block.text for block in blocks(ROOT / "docs" / f"{page}.md") if block.language == "text"]
    assert "127.0.0.1:8000" in snippet
    text = snippet.replace("http://127.0.0.1:8000", shown).replace(
        "127.0.0.1:8000", shown.removeprefix("http://")
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", text], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == printed


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_the_example_learns(example: Path, shown: Service) -> None:
    assert f"[{example.name}]({example.name})" in (EXAMPLES / "README.md").read_text()
    command = [sys.executable, "-W", "ignore", str(example), shown]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)
