"""docs/architecture.md and its drawing name files and definitions that exist; its snippets run."""

from __future__ import annotations

import re
import runpy
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from support.service import running_service

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
TOOL = runpy.run_path(str(ROOT / "tools" / "docs" / "architecture.py"))
LINKS = re.findall(r"\]\(([^)#]+)", PAGE)
QUESTIONS = re.findall(
    r"^\| (.+\?) \| (.+) \| (.+) \|$", PAGE.split("\n## Find it\n")[1].split("\n## ")[0], re.M
)


def test_every_link_leads_to_a_file() -> None:
    assert len(LINKS) > 50
    assert not [link for link in LINKS if not (ROOT / "docs" / link).exists()]


@pytest.mark.parametrize("text, link", re.findall(r"\[`([^`]+)`\]\(([^)#]+)", PAGE))
def test_a_link_leads_to_the_path_it_shows(text: str, link: str) -> None:
    if "/" in text or "." in text:
        shown, path = text.removeprefix("…/").rstrip("/"), (ROOT / "docs" / link).resolve()
        if path.name == "__init__.py" and not shown.endswith(".py"):
            path = path.parent
        assert f"/{path.relative_to(ROOT)}".endswith(f"/{shown}")


def test_every_path_in_a_code_span_exists() -> None:
    spans = set(re.findall(r"`([a-z_]+/[\w./]+)`", re.sub(r"\[`[^`]+`\]", "", PAGE)))
    folders = (ROOT, ROOT / "service" / "deltawire_service", ROOT / "client" / "deltawire")
    assert not [span for span in spans if not any((folder / span).exists() for folder in folders)]


@pytest.mark.parametrize("question, files, names", QUESTIONS)
def test_what_the_table_names_is_defined_in_its_files(question: str, files: str, names: str) -> None:
    sources = ""
    for link in re.findall(r"\]\(([^)]+)\)", files):
        path = ROOT / "docs" / link
        sources += "".join(file.read_text() for file in ([path] if path.is_file() else path.glob("*.py")))
    for name in re.findall(r"`([^`]+)`", names):
        for part in name.split("."):
            assert re.search(rf"\b(def|class|function|const) {part}\b|^{part}\b.* = ", sources, re.M), name


def test_the_questions_a_newcomer_asks_are_answered() -> None:
    asked = " ".join(question for question, _, _ in QUESTIONS)
    for topic in ("body", "admission", "layer's output", "gradients", "problem", "SDK", "edge"):
        assert topic in asked
    changes = PAGE.split("\n## Where to change what\n")[1].split("\n## ")[0]
    for topic in ("route", "layer", "setting", "error code", "protocol", "SDK call", "metric"):
        assert re.search(rf"^\| an? {topic} \|", changes, re.MULTILINE), topic


def test_the_drawing_is_up_to_date() -> None:
    drawn = (ROOT / "docs" / "architecture.svg").read_text()
    assert drawn == TOOL["picture"](), "`make docs` draws docs/architecture.svg anew"
    assert ElementTree.fromstring(drawn).tag == "{http://www.w3.org/2000/svg}svg"


def test_the_drawing_names_files_that_exist() -> None:
    paths = TOOL["paths"]()
    assert len(paths) > 20
    assert not [path for path in paths if not (ROOT / path).exists()]


def test_the_call_shows_the_phases() -> None:
    (call,) = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    with running_service("-w", "1") as address:  # a second worker might still start when it is to stop
        command = call.replace("http://127.0.0.1:8000", address)
        answer = subprocess.run(
            command, shell=True, capture_output=True, text=True, check=True, timeout=30, cwd=ROOT
        )
    (header,) = re.findall(r"^Server-Timing: (.*)$", answer.stdout, re.MULTILINE | re.IGNORECASE)
    phases = [phase.partition(";")[0] for phase in header.strip().split(", ")]
    (table,) = re.findall(r"^\| `read` .*$", PAGE, re.MULTILINE)
    assert phases == re.findall(r"`(\w+)`", table)


def test_the_snippet_prints_what_the_page_shows(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (printed,) = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    exec(compile(code, "docs/architecture.md", "exec"), {})
    assert capsys.readouterr().out == printed
