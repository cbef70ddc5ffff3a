"""Who may import whom: the arrows of the architecture."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = ("deltawire", "deltawire_layers", "deltawire_service")
HTTP = ("flask", "werkzeug", "gunicorn", "requests")


def imports(path: Path) -> set[str]:
    """Every module a file imports, at its top or later."""
    found = set[str]()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def files(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found
    return found


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", files("plugins"), ids=name)
def test_layers_import_nothing_of_the_service_or_the_client(path: Path) -> None:
    assert not {m for m in imports(path) if within(m, ("deltawire", "deltawire_service", *HTTP))}


@pytest.mark.parametrize("path", files("client"), ids=name)
def test_the_client_reaches_the_service_only_over_http_or_embedded(path: Path) -> None:
    allowed = {"deltawire_service"} if path.name == "embedded.py" else set()
    found = {m.split(".")[0] for m in imports(path) if within(m, ("deltawire_service", "deltawire_layers"))}
    assert found <= allowed


CLI = [path for path in files("service") if "cli" in path.parts]


@pytest.mark.parametrize("path", [path for path in files("service") if path not in CLI], ids=name)
def test_the_service_takes_wire_and_errors_from_the_client_and_no_more(path: Path) -> None:
    # The command line stands outside: it uses the client as anybody does.
    allowed = ("deltawire",) if "cli" in path.parts else ("deltawire.wire", "deltawire.errors")
    found = {m for m in imports(path) if within(m, ("deltawire",)) and m != "deltawire"}
    assert all(within(module, allowed) for module in found)
    # Layers arrive through the registry: the contract is all the service may name.
    assert not {m for m in imports(path) if m.startswith("deltawire_layers.") and m.count(".") > 1}


@pytest.mark.parametrize("path", CLI, ids=name)
def test_the_command_line_is_a_user_of_the_sdk(path: Path) -> None:
    service = {m for m in imports(path) if within(m, ("deltawire_service",))}
    own = {m for m in service if not within(m, ("deltawire_service.faults",))}
    assert not {m for m in own if within(m, ("deltawire_service.engine", "deltawire_service.api"))}


@pytest.mark.parametrize("path", files("service/deltawire_service/engine"), ids=name)
def test_the_engine_knows_no_http(path: Path) -> None:
    found = imports(path)
    assert not {m for m in found if within(m, HTTP)}
    own = ("deltawire_service.engine", "deltawire_service.faults")
    assert all(
        within(m, own)
        for m in found
        if within(m, ("deltawire_service.",)) or m.startswith("deltawire_service.")
    )


@pytest.mark.parametrize("path", [p for p in files("service") if "cli" not in p.parts], ids=name)
def test_nothing_needs_the_command_line(path: Path) -> None:
    assert not {m for m in imports(path) if within(m, ("deltawire_service.cli",))}
