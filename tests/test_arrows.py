"""The arrows of the architecture: who may import whom, and that no arrow runs in a circle."""

from __future__ import annotations

import ast
import sys
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = ("deltawire", "deltawire_layers", "deltawire_optimizers", "deltawire_plugins", "deltawire_service")
HTTP = ("flask", "werkzeug", "gunicorn", "requests")
ENGINE = "deltawire_service.engine"


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imports(path: Path) -> frozenset[str]:
    """Return every module that a file imports, at its top, later, or under TYPE_CHECKING."""
    modules = set[str]()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            modules |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(modules)


def within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


def files(folder: str) -> list[Path]:
    paths = sorted((ROOT / folder).rglob("*.py"))
    assert paths
    return paths


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def module_of(path: Path) -> str:
    """Return the dotted name of a file below one of the folders of packages."""
    parts = path.relative_to(ROOT).with_suffix("").parts[1:]
    return ".".join(parts).removesuffix(".__init__")


SOURCES = {module_of(path): path for folder in ("client", "plugins", "service") for path in files(folder)}


def arrows(module: str) -> set[str]:
    """Return our modules that a module imports; a package and its own modules count as one place."""
    return {
        other
        for other in imports(SOURCES[module])
        if other in SOURCES and not module.startswith(f"{other}.") and other != module
    }


def test_no_arrow_runs_in_a_circle() -> None:
    # The embedded client loads the service when it is used, which uses the client's wire and errors.
    client, service = ("deltawire",), ("deltawire_service",)
    graph = {
        module: {other for other in arrows(module) if not (within(module, client) and within(other, service))}
        for module in SOURCES
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(error.args[1][::-1]))


def test_nobody_outside_imports_a_submodule_of_the_engine() -> None:
    outside = [module for module in SOURCES if not within(module, (ENGINE,))]
    assert not {(m, other) for m in outside for other in arrows(m) if other.startswith(f"{ENGINE}.")}


def test_no_private_name_is_imported() -> None:
    assert not [
        (module, alias.name)
        for module, path in SOURCES.items()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and within(str(node.module), OURS)
        for alias in node.names
        if alias.name.startswith("_")
    ]


@pytest.mark.parametrize("module", ["layer", "initializers"])
def test_the_layer_contract_knows_nobody(module: str) -> None:
    others = arrows(f"deltawire_layers.{module}")
    assert {m for m in others if not within(m, ("deltawire_plugins",))} <= {
        "deltawire_layers",
        "deltawire_layers.layer",
    }


@pytest.mark.parametrize("path", files("plugins"), ids=name)
def test_layers_import_nothing_of_the_service_or_the_client(path: Path) -> None:
    assert not {m for m in imports(path) if within(m, ("deltawire", "deltawire_service", *HTTP))}


@pytest.mark.parametrize("module", [m for m in SOURCES if within(m, ("deltawire_plugins",))])
def test_what_plugins_share_knows_no_kind_of_plugin(module: str) -> None:
    assert all(within(other, ("deltawire_plugins",)) for other in arrows(module))


@pytest.mark.parametrize("module", [m for m in SOURCES if within(m, ("deltawire_optimizers",))])
def test_optimizers_know_only_what_plugins_share(module: str) -> None:
    assert all(within(other, ("deltawire_optimizers", "deltawire_plugins")) for other in arrows(module))
    installed = {other.split(".")[0] for other in imports(SOURCES[module])} - set(sys.stdlib_module_names)
    assert installed <= {"deltawire_optimizers", "deltawire_plugins", "marshmallow", "numpy"}


def test_the_client_reaches_the_service_only_over_http_or_embedded() -> None:
    # Embedded mode loads the service, and `python -m deltawire` its command line.
    for path in files("client"):
        allowed = {"deltawire_service"} if path.name in ("embedded.py", "__main__.py") else set()
        others = {m for m in imports(path) if within(m, ("deltawire_service", "deltawire_layers"))}
        assert {m.split(".")[0] for m in others} <= allowed, name(path)


CLI = [path for path in files("service") if "cli" in path.parts]


def test_the_service_takes_wire_and_errors_from_the_client_and_no_more() -> None:
    allowed = ("deltawire.wire", "deltawire.errors")
    for path in [path for path in files("service") if path not in CLI]:
        found = {m for m in imports(path) if within(m, ("deltawire",)) and m != "deltawire"}
        assert all(within(module, allowed) for module in found), name(path)
        # Layers arrive through the registry: the contract is all the service may name.
        deeper = {m for m in imports(path) if m.startswith("deltawire_layers.") and m.count(".") > 1}
        assert not deeper, name(path)


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


def test_nothing_needs_the_command_line() -> None:
    others = [path for path in files("service") if path not in CLI]
    assert not {(name(p), m) for p in others for m in imports(p) if within(m, ("deltawire_service.cli",))}
