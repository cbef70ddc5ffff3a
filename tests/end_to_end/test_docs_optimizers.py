"""docs/optimizers.md shows the optimizers and schedules there are, as they are. Its snippets run."""

from __future__ import annotations

import inspect
import re
import runpy

import pytest
from support.console import ROOT, blocks

from deltawire_optimizers import SCHEDULES

TOOL = runpy.run_path(str(ROOT / "tools" / "docs" / "optimizers.py"))
PATH = ROOT / "docs" / "optimizers.md"
PAGE = PATH.read_text()

LATEX = set(
    "aligned alpha begin beta bigl bigr end eta frac gamma lambda leftarrow max mu operatorname quad sqrt "
    "tau text theta varepsilon".split()
)


def section(title: str) -> str:
    return re.split(r"^##", PAGE.split(f"\n### {title}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


def test_the_page_is_up_to_date() -> None:
    assert PAGE == TOOL["page"](), "`make docs` writes docs/optimizers.md anew"


def test_every_optimizer_and_schedule_is_there() -> None:
    entry_points = re.findall(
        r'^(\w+) = "deltawire_optimizers\.', (ROOT / "pyproject.toml").read_text(), re.M
    )
    assert re.findall(r"^### (.+)$", PAGE, re.M) == [*sorted(entry_points), *SCHEDULES]


@pytest.mark.parametrize("kind", [*TOOL["BUILT_IN"], *SCHEDULES])
def test_every_key_of_the_config_is_there(kind: str) -> None:
    documented = re.findall(r"^\| `(\w+)` \| .+ \| .+ \| .+ \|$", section(kind), re.M)
    assert documented == list({**TOOL["BUILT_IN"], **SCHEDULES}[kind].Config().fields)


@pytest.mark.parametrize("kind", TOOL["BUILT_IN"])
def test_every_optimizer_has_its_mathematics_and_its_source(kind: str) -> None:
    (block,) = re.findall(r"^```math\n(.*?)^```$", section(kind), re.M | re.S)
    assert set(re.findall(r"\\([A-Za-z]+)", block)) <= LATEX  # also: no symbol has run into a command
    assert block.count("{") == block.count("}") and r"\theta_t &=" in block
    assert re.search(r"^Source: .+\b(19|20)\d\d\b", section(kind), re.M)


def test_the_snippets_run(capsys: pytest.CaptureFixture[str]) -> None:
    found = [block for block in blocks(PATH) if block.language != "math"]
    assert [block.language for block in found] == ["python", "text", "python"]
    for code in (found[0], found[2]):
        exec(compile(code.text, str(PATH), "exec"), {})
    assert capsys.readouterr().out == found[1].text


@pytest.mark.torch
@pytest.mark.parametrize(
    ("kind", "name"),
    [("adagrad", "Adagrad"), ("adam", "Adam"), ("adamw", "AdamW"), ("rmsprop", "RMSprop"), ("sgd", "SGD")],
)
def test_names_and_defaults_are_those_of_torch_but_for_the_learning_rate(kind: str, name: str) -> None:
    torch = pytest.importorskip("torch")
    theirs = inspect.signature(getattr(torch.optim, name)).parameters
    for ours, default in TOOL["BUILT_IN"][kind].Config().load({}).items():
        expected = theirs["lr" if ours == "learning_rate" else ours].default
        assert default == (list(expected) if isinstance(expected, tuple) else expected), ours
