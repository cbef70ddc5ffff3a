"""The TypeScript client: its types are those of the service, and it works where it is installed."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from support.typed import MODULES, PACKAGE, RECIPES, ROOT, STRICT, run, snippets

pytestmark = pytest.mark.typed


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in a folder of its own, with the package as npm packs it, and nothing of the repository."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "package.json").write_text('{"name": "project", "type": "module", "private": true}')
    pack = "npm pack --silent --json --pack-destination".split()
    (packed,) = json.loads(run(*pack, folder, folder=PACKAGE))
    install = "npm install --offline --no-audit --no-fund".split()
    run(*install, folder / packed["filename"], folder=folder)
    (folder / "node_modules" / "@types").symlink_to(MODULES / "@types")
    return folder


def test_the_types_are_those_of_the_service(document: Path, tmp_path: Path) -> None:
    """`make types` writes them again."""
    (tmp_path / "package.json").write_bytes((PACKAGE / "package.json").read_bytes())
    (tmp_path / "src").mkdir()
    run("npm", "run", "--silent", "types", "--", document, folder=tmp_path)
    assert (tmp_path / "src" / "openapi.ts").read_text() == (PACKAGE / "src" / "openapi.ts").read_text()


def test_its_tests_pass_with_a_real_service(service: str) -> None:
    printed = run("npm", "test", folder=PACKAGE, DELTAWIRE_URL=service)
    assert "ℹ fail 0" in printed and "ℹ skipped 0" in printed


def test_it_depends_on_nothing(project: Path) -> None:
    manifest = json.loads((PACKAGE / "package.json").read_text())
    assert not {"dependencies", "peerDependencies", "optionalDependencies"} & manifest.keys()
    installed = {path.name for path in (project / "node_modules").iterdir() if not path.is_symlink()}
    assert installed - {".package-lock.json"} == {"deltawire"}


def test_it_holds_nothing_but_its_compiled_files(project: Path) -> None:
    package = project / "node_modules" / "deltawire"
    files = {str(path.relative_to(package)) for path in package.rglob("*") if path.is_file()}
    assert {"package.json", "README.md", "dist/index.js", "dist/index.d.ts"} < files
    assert all(name.startswith("dist/") for name in files - {"package.json", "README.md"})


@pytest.mark.parametrize("page", ["client/typescript/README.md", "docs/clients.md"])
def test_the_example_of_a_page_prints_what_the_page_says(project: Path, service: str, page: str) -> None:
    ((program, printed),) = snippets(page, 'from "deltawire"')
    (project / "example.ts").write_text(program.replace("http://127.0.0.1:8000", service))
    run("tsc", *STRICT, "example.ts", folder=project)
    assert run("node", "example.js", folder=project) == printed


def test_the_compiler_names_an_unknown_key_of_a_config(project: Path) -> None:
    nodes = '[{ kind: "linear", config: { out_features: 4 } }]'
    (project / "wrong.ts").write_text(
        'import type { Network } from "deltawire";\n'
        f"export const network: Network = {{ inputs: {{}}, nodes: {nodes} }};\n"
    )
    with pytest.raises(AssertionError, match="'out_features' does not exist in type"):
        run("tsc", *STRICT, "wrong.ts", folder=project)


def test_its_recipe_trains(project: Path, service: str) -> None:
    (project / "train.ts").write_bytes((RECIPES / "train.ts").read_bytes())
    run("tsc", *STRICT, "train.ts", folder=project)
    assert "slope 1.99" in run("node", "train.js", service, folder=project)


@pytest.mark.parametrize(
    "command", [(RECIPES / "train.sh",), ("node", RECIPES / "train.mjs")], ids=["sh", "mjs"]
)
def test_a_recipe_without_a_client_trains(service: str, command: tuple[str | Path, ...]) -> None:
    assert "slope 1.99" in run(*command, service)


def test_the_versions_agree() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert json.loads((PACKAGE / "package.json").read_text())["version"] == version
