"""The page for clients in other languages does what it says; tests/typed tests its typed clients."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
from support.console import ROOT
from support.service import running_service

PAGE = (ROOT / "docs" / "clients.md").read_text()


def following(snippet: str, language: str) -> str:
    """Return the block of a language that follows a snippet."""
    return PAGE[PAGE.index(snippet) :].split(f"```{language}\n")[1].split("```")[0]


def test_curl_and_jq() -> None:
    (call,) = re.findall(r"^curl .*jq.*$", PAGE, re.MULTILINE)
    with running_service("-w", "1") as url:
        command = call.replace("http://127.0.0.1:8000", url)
        done = subprocess.run(command, shell=True, capture_output=True, check=True, timeout=30, cwd=ROOT)
    assert json.loads(done.stdout) == json.loads(following(call, "json"))


def test_the_reader_reads_a_vector(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    (reader,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(reader, "clients.md", "exec"), {})
    assert capsys.readouterr().out == following(reader, "text")


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", PAGE)
    assert len(links) > 5
    for link in links:
        assert (ROOT / "docs" / link).exists(), link
