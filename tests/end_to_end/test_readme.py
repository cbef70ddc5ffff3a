"""Every snippet of the README does what the README says."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.console import without_times
from support.service import running_service

README = (Path(__file__).parents[2] / "README.md").read_text()
ADDRESS = "http://127.0.0.1:8000"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def blocks(language: str, containing: str = "") -> list[str]:
    return [text for kind, text in BLOCKS if kind == language and containing in text]


def block_after(snippet: str) -> str:
    """The block that follows a snippet: what it prints."""
    place = next(place for place, (_, text) in enumerate(BLOCKS) if text == snippet)
    return BLOCKS[place + 1][1]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running_service() as url:
        yield url


def test_every_block_is_of_a_kind_that_is_tested() -> None:
    assert {kind for kind, _ in BLOCKS} == {"sh", "json", "python", "text", "toml"}


def test_the_two_commands_exist() -> None:
    commands = re.findall(r"^make (\w+)", "".join(blocks("sh")), re.MULTILINE)
    assert commands == ["serve", "test"]
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()
    for target in [*commands, *re.findall(r"`make (\w+)`", README)]:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_curl(address: str) -> None:
    (call,) = blocks("sh", "curl")
    answer = subprocess.run(
        call.replace(ADDRESS, address), shell=True, capture_output=True, text=True, check=True, timeout=30
    )
    assert json.loads(answer.stdout) == json.loads(block_after(call))


def test_curl_of_an_example(address: str) -> None:
    (call,) = re.findall(r"`(curl [^`]+@examples[^`]+)`", README)
    answer = subprocess.run(
        call.replace(ADDRESS, address),
        shell=True,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        cwd=Path(__file__).parents[2],
    )
    assert json.loads(answer.stdout)["loss"] == -12


def test_python(address: str, capsys: pytest.CaptureFixture[str], plain_terminal: None) -> None:
    snippets = blocks("python")
    assert len(snippets) == 3
    for snippet in snippets:
        exec(compile(snippet.replace(ADDRESS, address), "README.md", "exec"), {})
        printed = capsys.readouterr().out
        assert not printed or without_times(printed) == without_times(block_after(snippet))


def test_toml() -> None:
    for snippet in blocks("toml"):
        assert "deltawire.layers" in tomllib.loads(snippet)["project"]["entry-points"]


def test_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert (Path(__file__).parents[2] / link).exists(), link
