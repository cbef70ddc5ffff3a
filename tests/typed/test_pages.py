"""The checks of the pages' JavaScript find what they are for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from support.typed import ROOT

pytestmark = pytest.mark.typed

PAGES = Path("service/deltawire_service/explorer")
CHECKS = Path("tools/javascript")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the pages and the checks, which the tests may change."""
    folder = tmp_path_factory.mktemp("pages")
    shutil.copytree(ROOT / "service/deltawire_service", folder / "service/deltawire_service")
    shutil.copytree(ROOT / CHECKS, folder / CHECKS, ignore=shutil.ignore_patterns("node_modules"))
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=folder / CHECKS, check=True)
    return folder


def check(copy: Path, name: str) -> str:
    """Run one check, `types` or `lint`, and return what it reports; empty where it finds nothing."""
    done = subprocess.run(
        ["npm", "run", "--silent", name], cwd=copy / CHECKS, capture_output=True, text=True, check=False
    )
    assert (done.returncode == 0) == (not done.stdout.strip()), done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["types", "lint"])
def test_the_pages_pass(copy: Path, name: str) -> None:
    assert check(copy, name) == ""


@pytest.mark.parametrize(
    ("name", "fault", "found"),
    [
        ("types", "export const wrong = (/** @type {Model} */ model) => model.edgess;", "TS2551"),
        ("types", "/** @param {Place} place */\nexport const wrong = (place) => place.name * 2;", "TS2362"),
        ("types", "/** @param {Traced} one */\nexport const wrong = (one) => one.sample.length;", "TS18048"),
        ("types", "import { missing } from '../core/steps.js';\nexport const wrong = missing;", "TS2305"),
        ("lint", "export const wrong = (one) => one == 2;", "eqeqeq"),
        ("lint", "export const wrong = nothing;", "no-undef"),
        ("lint", "const unused = 1;", "no-unused-vars"),
        ("lint", "//\n" * 201, "max-lines"),
    ],
)
def test_a_fault_is_found(copy: Path, name: str, fault: str, found: str) -> None:
    """Each fault stands in a module of its own, which has the names of the data model."""
    module = copy / PAGES / "widgets/wrong.js"
    imports = (
        '/** @import { Model, Place } from "../core/model.js" */\n'
        '/** @import { Traced } from "../core/arrays.js" */\n'
    )
    module.write_text(imports + fault + "\n")
    try:
        assert found in check(copy, name)
    finally:
        module.unlink()
