"""The explorer's modules: which room may import which, and how large a room and a file may be."""

from __future__ import annotations

import re
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from deltawire_service.api.root import PAGE

VENDOR = PAGE / "vendor"
MODULES = sorted(path for path in PAGE.rglob("*.js") if VENDOR not in path.parents)
MAY_IMPORT = {
    "core": {"vendor"},
    "widgets": {"core"},
    "picture": {"vendor", "core", "widgets"},
    "panel": {"core", "widgets"},
    "drawer": {"core", "widgets"},
    "lecture": {"core", "widgets"},
    "models": {"core", "widgets"},
    "page": {"core"},
    "": {"core", "widgets", "picture", "panel", "drawer", "lecture", "models", "page"},
}
"""The other rooms that the modules of a room may import; "" is the root, where the rooms meet."""

IMPORT = re.compile(
    r"""(?:^|[;\s])(?:import|export)\s*(?P<names>[^"'();]*?)\s*\bfrom\s*["'](?P<named>[^"']+)["']
    |\bimport\s*\(?\s*["'](?P<whole>[^"']+)["']""",
    re.VERBOSE,
)
EXPORT = re.compile(r"^export (?:async )?(?:class|const|function) (\w+|\[[^\]]*\])", re.MULTILINE)
LISTED = re.compile(r"^export \{([^}]*)\}", re.MULTILINE)
FUNCTION = re.compile(r"^(?=(?:export )?(?:async )?function \w)", re.MULTILINE)
STATE = re.compile(r"\buse(?:State|Ref)\(")
RETIRED = {"sight", "chains", "marks", "shares", "key", "later"}


def name(path: Path) -> str:
    return path.relative_to(PAGE).as_posix()


def imports(text: str) -> list[tuple[str, set[str]]]:
    """Return each address a module imports, with the names in braces that it takes from there."""
    found = []
    for match in IMPORT.finditer(text):
        braces = re.search(r"\{([^}]*)\}", match["names"] or "")
        taken = {part.split(" as ")[0].strip() for part in braces[1].split(",")} if braces else set()
        found.append((match["named"] or match["whole"], taken - {""}))
    return found


def exports(text: str) -> set[str]:
    single = {one for match in EXPORT.findall(text) for one in re.findall(r"\w+", match)}
    listed = {part.split(" as ")[-1].strip() for match in LISTED.findall(text) for part in match.split(",")}
    return single | listed - {""}


def targets(path: Path) -> list[Path]:
    return [(path.parent / address).resolve() for address, _ in imports(path.read_text())]


def room(path: Path) -> str:
    parts = path.relative_to(PAGE).parts
    return parts[0] if len(parts) > 1 else ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('import { a, b as c } from "./x.js";', [("./x.js", {"a", "b"})]),
        ('import * as api from "../core/api.js";', [("../core/api.js", set())]),
        ('import {\n  a,\n} from "./x.js";\nimport y from "./y.js";', [("./x.js", {"a"}), ("./y.js", set())]),
        ('export { a } from "./x.js";\nexport { b };', [("./x.js", {"a"})]),
        ('const load = () => import("./x.js").then((module) => module.A);', [("./x.js", set())]),
        ('import "./x.js";', [("./x.js", set())]),
    ],
)
def test_every_form_of_import_is_read(text: str, expected: list[tuple[str, set[str]]]) -> None:
    assert imports(text) == expected


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_imports_what_is_there(path: Path) -> None:
    for address, taken in imports(path.read_text()):
        assert address.startswith("."), address
        target = (path.parent / address).resolve()
        assert target.is_file(), address
        if VENDOR not in target.parents:
            assert taken <= exports(target.read_text()), address


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_room_imports_only_the_rooms_below_it(path: Path) -> None:
    other = {room(target) for target in targets(path)} - {room(path)}
    assert other <= MAY_IMPORT[room(path)]


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {name(path): {name(target) for target in targets(path)} for path in MODULES}
    assert sum(map(len, graph.values())) > len(graph)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def loaded_by(entry: str) -> set[Path]:
    """Return the modules that a page loads, from its first one on."""
    reached, waiting = set[Path](), [PAGE / entry]
    while waiting:
        path = waiting.pop()
        if path not in reached and VENDOR not in path.parents:
            reached.add(path)
            waiting += targets(path)
    return reached


def test_every_module_is_loaded_by_a_page() -> None:
    assert loaded_by("main.js") | loaded_by("models.js") == set(MODULES)


def test_the_page_of_models_loads_nothing_of_the_graph() -> None:
    assert {room(path) for path in loaded_by("models.js")} == {"", "core", "widgets", "models", "lecture"}


def test_no_room_is_full() -> None:
    assert max(Counter(path.parent for path in MODULES).values()) <= 16


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_is_short_and_opens_with_a_sentence_on_what_it_does(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= 200
    assert re.fullmatch(r"// [A-Z][^.]*(\.\w[^.]*)*\.", lines[0]), lines[0]
    assert not re.match(r"// (What|Whether|Of)\b", lines[0]), lines[0]


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_no_component_or_hook_has_more_than_five_pieces_of_state(path: Path) -> None:
    counts = {part.split("(")[0]: len(STATE.findall(part)) for part in FUNCTION.split(path.read_text())}
    assert max(counts.values()) <= 5, counts


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_no_module_has_a_retired_name(path: Path) -> None:
    assert path.stem not in RETIRED
