"""docs/layers.md and the README's table show the layers there are, as they are."""

from __future__ import annotations

import re
import runpy
import tomllib
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOL = runpy.run_path(str(ROOT / "tools" / "docs" / "layers.py"))
README = (ROOT / "README.md").read_text()
PAGE = (ROOT / "docs" / "layers.md").read_text()
KINDS = [kind for kinds in TOOL["families"]().values() for kind in kinds]

LATEX = set(
    "Delta Phi alpha ast bar begin beta circ cos dots delta end epsilon frac gamma ge hat in lVert left le "
    "log mathbf max min nabla operatorname overline partial pi qquad rVert right sigma sin sqrt star sum "
    "tanh text textstyle tfrac top".split()
)


def section(kind: str) -> str:
    return re.split(r"^##", PAGE.split(f"\n### {kind}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


def anchors(page: str) -> set[str]:
    """What links to the headings of a page look like, as GitHub makes them."""
    seen, found = Counter[str](), set()
    for title in re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", page, flags=re.M | re.S), re.M):
        name = re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-")
        found.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return found


def test_the_page_is_up_to_date() -> None:
    assert PAGE == TOOL["page"](), "`make docs` writes docs/layers.md anew"


def test_only_our_own_layers_are_on_the_page() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert sorted(KINDS) == sorted(project["entry-points"]["deltawire.layers"])
    assert sorted(re.findall(r"^### (.+)$", PAGE, re.M)) == sorted(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_mathematics_of_every_layer_is_there(kind: str) -> None:
    (block,) = re.findall(r"^```math\n(.*?)^```$", section(kind), re.M | re.S)
    assert set(re.findall(r"\\([A-Za-z]+)", block)) <= LATEX  # also: no symbol has run into a command
    assert block.count("{") == block.count("}")
    formula = TOOL["LAYERS"][kind].formula
    placeholders = "|".join([r"x\d", "value", "delta", *formula.grads])
    assert not re.search(rf"(?<!\\text)\{{({placeholders})\}}", block)
    assert len(re.findall(r"^\S+ &= ", block, re.M)) >= 1
    assert len(re.findall(r"^\\delta_\{.*\} &= ", block, re.M)) == len([*filter(None, formula.deltas)])
    assert len(re.findall(r"^\\nabla_\{.*\} &= ", block, re.M)) == len(formula.grads)


def test_sources_name_title_and_year() -> None:
    sources = re.findall(r"^Source: (.+)$", PAGE, re.M)
    assert len(sources) == PAGE.count("Source:") > 20
    for source in sources:
        assert re.match(r'[^"]+, "[^"]+", .*\b(19|20)\d\d\b.*\.$', source), source


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_of_the_config_is_there(kind: str) -> None:
    table = section(kind).partition("| config |")[2].partition("\n\n")[0]
    documented = re.findall(r"^\| `(\w+)` \| (?:.+) \| (.+?) \| .+ \|$", table, re.M)
    fields = TOOL["LAYERS"][kind].Config().fields
    assert {key: default == "required" for key, default in documented} == {
        name: field.required for name, field in fields.items()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_parameter_is_there_with_its_first_numbers(kind: str) -> None:
    told = re.findall(r"`(\w+)` \(\$[^$]+\$\), first ([^;\n]+?)[;.](?=\s)", section(kind))
    formula = TOOL["LAYERS"][kind].formula
    assert dict(told) == formula.init and formula.init.keys() == formula.grads.keys()


@pytest.mark.parametrize(
    "name, symbol",
    [
        ("weight", "W"),
        ("bias", "b"),
        ("weight_ih", r"W_{\text{ih}}"),
        ("in_proj_bias", r"b_{\text{in proj}}"),
        ("beta", r"\text{beta}"),
    ],
)
def test_parameters_have_the_letters_of_the_literature(name: str, symbol: str) -> None:
    assert TOOL["_parameter"](name) == symbol


def test_the_readme_names_every_layer_by_family() -> None:
    table = README.partition("| family | kinds |\n|---|---|\n")[2].partition("\n\n")[0]
    named = {
        link: re.findall(r"`(\w+)`", kinds)
        for link, kinds in re.findall(r"^\| \[\w+\]\(docs/layers\.md#(\w+)\) \| (.+) \|$", table, re.M)
    }
    assert named == TOOL["families"]()


@pytest.mark.parametrize(
    "page", ["README.md", "docs/api.md", "docs/layers.md", "docs/settings.md", "docs/spec.md"]
)
def test_links_to_headings_lead_there(page: str) -> None:
    text = (ROOT / page).read_text()
    for path, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", text):
        target = (ROOT / page).parent / path if path else ROOT / page
        assert anchor in anchors(target.read_text()), f"{path}#{anchor}"
    for path in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert ((ROOT / page).parent / path).exists(), path
