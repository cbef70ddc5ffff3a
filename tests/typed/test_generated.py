"""Clients that generators make of /openapi.json: their types fit, and they call every route below /v1."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.typed import MODULES, PROGRAMS, PYTHON, RECIPES, ROOT, STRICT, run, snippets

pytestmark = pytest.mark.typed

CONFIG = RECIPES / "openapi-python-client.yaml"


@pytest.fixture(scope="module")
def routes(document: Path) -> list[str]:
    """Every route below /v1."""
    paths = json.loads(document.read_text())["paths"].items()
    return sorted(
        f"{method.upper()} {path}" for path, item in paths if path.startswith("/v1/") for method in item
    )


@pytest.fixture(scope="module")
def python(document: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the package that openapi-python-client writes."""
    folder = tmp_path_factory.mktemp("python")
    run(
        *("openapi-python-client", "generate", "--path", document, "--config", CONFIG, "--meta", "none"),
        *("--output-path", folder / "deltawire_api"),
    )
    return folder


@pytest.fixture(scope="module")
def typescript(document: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the types that openapi-typescript writes, with openapi-fetch beside them."""
    folder = tmp_path_factory.mktemp("typescript")
    (folder / "node_modules").symlink_to(MODULES)
    (folder / "package.json").write_text('{"type": "module"}')
    run("openapi-typescript", document, "--default-non-nullable=false", "--output", folder / "openapi.ts")
    return folder


def test_python_has_sound_types(python: Path) -> None:
    """Its transport, client.py, comes from a template in which mypy finds faults of its own."""
    config = python / "mypy.ini"
    config.write_text("[mypy]\n[mypy-deltawire_api.client]\nignore_errors = True\n")
    run("mypy", "--config-file", config, "deltawire_api", folder=python)


def test_python_calls_every_route(python: Path, routes: list[str], service: str, table: Path) -> None:
    program = PROGRAMS / "every_route.py"
    run("mypy", "--strict", "--follow-imports=silent", program, folder=python, MYPYPATH=str(python))
    called = run(PYTHON / "python", program, service, table, folder=python, PYTHONPATH=str(python))
    assert sorted(called.splitlines()) == routes


def test_its_recipe_trains(python: Path, service: str) -> None:
    program = RECIPES / "train_generated.py"
    run("mypy", "--strict", "--follow-imports=silent", program, folder=python, MYPYPATH=str(python))
    assert "slope 1.99" in run(PYTHON / "python", program, service, PYTHONPATH=str(python))


def test_python_keeps_all_of_a_document(python: Path) -> None:
    """Reading and writing a document of the test vectors changes nothing."""
    run(PYTHON / "python", PROGRAMS / "round_trip.py", ROOT / "tests" / "vectors", PYTHONPATH=str(python))


def test_typescript_calls_every_route(typescript: Path, routes: list[str], service: str, table: Path) -> None:
    (typescript / "every_route.ts").write_bytes((PROGRAMS / "every_route.ts").read_bytes())
    run("tsc", *STRICT, "every_route.ts", folder=typescript)
    called = run("node", "every_route.js", folder=typescript, DELTAWIRE_URL=service, TABLE=str(table))
    assert sorted(called.splitlines()) == routes


def test_the_recipe_of_openapi_fetch_trains(typescript: Path, service: str) -> None:
    (typescript / "train.ts").write_bytes((RECIPES / "train_openapi_fetch.ts").read_bytes())
    run("tsc", *STRICT, "train.ts", folder=typescript)
    assert "slope 1.99" in run("node", "train.js", service, folder=typescript)


def test_the_example_of_openapi_fetch_prints_what_the_page_says(typescript: Path, service: str) -> None:
    ((program, printed),) = snippets("docs/clients.md", "openapi.js")
    (typescript / "example.ts").write_text(program.replace("http://127.0.0.1:8000", service))
    run("tsc", *STRICT, "example.ts", folder=typescript)
    assert run("node", "example.js", folder=typescript) == printed
