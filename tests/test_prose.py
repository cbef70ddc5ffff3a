"""Docstrings and pages are plain English: they say first what a thing does, and they name its arguments.

The rules for docstrings hold for public modules, classes, functions and methods: those whose name, file and
folder have no leading underscore. A function inside a function is not public.

Three arguments or more, `self` and `cls` not counted, need an `Args:` section that names each of them. A
class is called through `__init__`, so the arguments of `__init__` are described there or at the class.
Somebody else describes the arguments of these, and they need no section:

- a method that overrides one of a base class, and has no docstring: it inherits that of the base;
- a command of the command line: its arguments are the options, each with a help text;
- a translation of an importer or exporter, registered in a table: its arguments are those of the function,
  operator or layer that it translates.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = (
    "service/deltawire_service",
    "plugins/deltawire_layers",
    "plugins/deltawire_optimizers",
    "plugins/deltawire_plugins",
    "client/deltawire",
)
PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "benchmarks/README.md", "docs/*.md")

RIDDLES = re.compile(r"(What|Whether|Of|Likewise|The same)\b")
"""Openings that leave out what the thing does."""

LONGEST_SENTENCE = 40
"""Words. The aim is 25; a sentence beyond this bound has to be read twice."""

ARGUMENTS = 3
"""So many arguments need an `Args:` section."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Documented(NamedTuple):
    """A public module, class, function or method. owner: the class that a method belongs to."""

    file: Path
    name: str
    node: ast.Module | Definition
    owner: ast.ClassDef | None = None

    @property
    def docstring(self) -> str:
        return ast.get_docstring(self.node) or ""

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{getattr(self.node, 'lineno', 1)} {self.name}"


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


def documented(file: Path) -> Iterator[Documented]:
    """The public definitions of a file, `__init__` among them."""
    yield Documented(file, file.stem, parsed(file))
    todo: list[tuple[ast.Module | ast.ClassDef, str, ast.ClassDef | None]] = [(parsed(file), "", None)]
    for node, prefix, owner in todo:
        for inner in node.body:
            if isinstance(inner, Definition) and (not inner.name.startswith("_") or inner.name == "__init__"):
                yield Documented(file, prefix + inner.name, inner, owner)
                if isinstance(inner, ast.ClassDef):
                    todo.append((inner, f"{prefix}{inner.name}.", inner))


def rooms() -> dict[str, list[Documented]]:
    """The public definitions of each folder."""
    found: dict[str, list[Documented]] = {}
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            parts = file.relative_to(ROOT).parts
            if not any(part.startswith("_") and part != "__init__.py" for part in parts):
                found.setdefault("/".join(parts[:-1]), []).extend(documented(file))
    return found


ROOMS = rooms()
room = pytest.mark.parametrize("room", ROOMS)


def listed(wrong: Iterable[object]) -> str:
    return "\n".join(map(str, wrong))


# How a docstring opens, and how long its sentences are.


@room
def test_docstrings_open_with_what_a_thing_does(room: str) -> None:
    wrong = [f"{each}: {each.docstring[:50]!r}" for each in ROOMS[room] if RIDDLES.match(each.docstring)]
    assert not wrong, listed(wrong)


def sentences(text: str) -> Iterator[str]:
    """The sentences of prose, without code, tables, headings and links' addresses."""
    text = re.sub(r"^```.*?^```$", "\n", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    text = re.sub(r"^(\||#).*$", "\n", text, flags=re.MULTILINE)
    text = re.sub(r"^ *(- |\d+\. |\*?\*?[\w., ]+: )", "\n\n", text, flags=re.MULTILINE)  # items, arguments
    for paragraph in re.split(r"\n\s*\n|::?\n", text):
        if not paragraph.startswith("    "):
            yield from re.split(r"(?<=[.!?;])[\"*)]*\s+", " ".join(paragraph.split()))


def too_long(text: str) -> list[str]:
    return [each for each in sentences(text) if len(each.split()) > LONGEST_SENTENCE]


@room
def test_docstrings_have_short_sentences(room: str) -> None:
    wrong = [f"{each}: {long}" for each in ROOMS[room] for long in too_long(each.docstring)]
    assert not wrong, listed(wrong)


@pytest.mark.parametrize(
    "page", [str(page.relative_to(ROOT)) for pattern in PAGES for page in sorted(ROOT.glob(pattern))]
)
def test_pages_have_short_sentences(page: str) -> None:
    wrong = too_long((ROOT / page).read_text())
    assert not wrong, listed(wrong)


# Three arguments or more.


@room
def test_arguments_are_described(room: str) -> None:
    wrong = list[str]()
    for each in ROOMS[room]:
        names = arguments(each)
        if len(names) < ARGUMENTS or described_elsewhere(each):
            continue
        docstring = each.docstring
        if each.owner and each.node.name == "__init__":  # type: ignore[union-attr]
            docstring = f"{ast.get_docstring(each.owner) or ''}\n\n{docstring}"
        missing = [name for name in names if name not in args_section(docstring)]
        if missing:
            wrong.append(f"{each}: no line in Args for {', '.join(missing)}")
    assert not wrong, listed(wrong)


@room
def test_no_argument_is_described_that_is_not_there(room: str) -> None:
    wrong = [
        f"{each}: {', '.join(unknown)}"
        for each in ROOMS[room]
        if isinstance(each.node, ast.FunctionDef)
        and (unknown := sorted(set(args_section(each.docstring)) - set(arguments(each))))
    ]
    assert not wrong, listed(wrong)


def arguments(each: Documented) -> list[str]:
    """The names of a function's arguments, without `self`, `cls` and those with a leading underscore."""
    if not isinstance(each.node, ast.FunctionDef | ast.AsyncFunctionDef):
        return []
    given = each.node.args
    names = [argument.arg for argument in (*given.posonlyargs, *given.args)]
    if each.owner and "staticmethod" not in decorators(each.node):
        names = names[1:]
    others = (given.vararg, *given.kwonlyargs, given.kwarg)
    names += [argument.arg for argument in others if argument]
    return [name for name in names if not name.startswith("_")]


def args_section(docstring: str) -> list[str]:
    """The names that the `Args:` section of a docstring has lines for: `name: …`, or `name, other: …`."""
    section = re.search(r"^Args:\n((?: .*\n?|\n(?= ))*)", docstring, re.MULTILINE)
    if not section:
        return []
    lines = re.findall(r"^    (\*{0,2}\w+(?:, \*{0,2}\w+)*)(?: \([^)]*\))?:", section[1], re.MULTILINE)
    return [name.strip("* ") for line in lines for name in line.split(",")]


def decorators(node: Definition) -> list[str]:
    """The names of a definition's decorators: `click.command`, `property`."""
    called = (each.func if isinstance(each, ast.Call) else each for each in node.decorator_list)
    return [ast.unparse(each) for each in called]


def described_elsewhere(each: Documented) -> bool:
    return is_inherited(each) or is_command(each) or is_translation(each)


def is_command(each: Documented) -> bool:
    assert isinstance(each.node, Definition)
    return any(name.startswith("click.") for name in decorators(each.node))


def is_translation(each: Documented) -> bool:
    """Takes a site or a place, and is registered: by a decorator, or in a table of its module."""
    assert isinstance(each.node, ast.FunctionDef)
    first = each.node.args.args[:1]
    taken = ast.unparse(first[0].annotation) if first and first[0].annotation else ""
    if taken not in ("Site", "NodeSite", "Place"):
        return False
    tables = [
        value
        for statement in parsed(each.file).body
        if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign)
        and isinstance(value := statement.value, ast.Dict | ast.DictComp)
    ]
    named = {name.id for table in tables for name in ast.walk(table) if isinstance(name, ast.Name)}
    return bool(each.node.decorator_list) or each.node.name in named


def is_inherited(each: Documented) -> bool:
    """A method without a docstring, of which a base class, ours or a library's, has a documented one."""
    if each.owner is None or each.docstring:
        return False
    assert isinstance(each.node, Definition)
    return any(has_documented(base, each.node.name) for base in bases(each.file, each.owner))


class Base(NamedTuple):
    """A base class: where a file takes its name from."""

    module: str
    name: str


def bases(file: Path, owner: ast.ClassDef) -> Iterator[Base]:
    """The classes that a class names as its bases, and where they come from."""
    local = {node.name for node in parsed(file).body if isinstance(node, ast.ClassDef)}
    for base in owner.bases:
        name = ast.unparse(base).partition("[")[0]
        if name in local:
            yield Base(module_of(file), name)
            continue
        for node in ast.walk(parsed(file)):
            if isinstance(node, ast.ImportFrom) and name in {each.asname or each.name for each in node.names}:
                yield Base(str(node.module), name)
            elif isinstance(node, ast.Import) and name.partition(".")[0] in {a.name for a in node.names}:
                yield Base(*name.rpartition(".")[::2])


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts[1:]).removesuffix(".__init__")


def file_of(module: str) -> Path | None:
    """The file of a module of ours."""
    for package in PACKAGES:
        if module.split(".")[0] == Path(package).name:
            path = (ROOT / package).parent / module.replace(".", "/")
            return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return None


def has_documented(base: Base, method: str) -> bool:
    file = file_of(base.module)
    if file is None:
        try:
            module = importlib.import_module(base.module)
        except ModuleNotFoundError:
            return True  # an extra that is not installed: the run that has it decides
        return bool(getattr(getattr(getattr(module, base.name), method, None), "__doc__", None))
    for node in parsed(file).body:
        if isinstance(node, ast.ClassDef) and node.name == base.name:
            own = [each for each in node.body if isinstance(each, Definition) and each.name == method]
            if own and ast.get_docstring(own[0]):
                return True
            return any(has_documented(above, method) for above in bases(file, node))
        if isinstance(node, ast.ImportFrom) and base.name in {each.name for each in node.names}:
            return has_documented(Base(str(node.module), base.name), method)  # a package that passes it on
    return False


def test_the_rules_see_what_they_are_made_for() -> None:
    """Each rule refuses an example of its own: a rule that matches nothing would pass everything."""
    assert RIDDLES.match("What a batch comes to.") and not RIDDLES.match("Whatever raises is refused.")
    assert too_long("One " * 41) and not too_long("One " * 40)
    assert not too_long("One " * 30 + ". " + "Two " * 30)
    assert not too_long("| " + "cell " * 50) and not too_long("```\n" + "code " * 50 + "\n```")
    described = "Args:\n    x: One.\n        More: of it.\n    y, z: Two.\n    *rest (int): All.\n"
    assert args_section(f"Return it.\n\n{described}\nReturns:\n    w: It.\n") == ["x", "y", "z", "rest"]
    layer = ROOT / "plugins/deltawire_layers/layers/combine.py"
    (forward,) = (each for each in documented(layer) if each.name == "Add.forward")
    assert len(arguments(forward)) >= ARGUMENTS and is_inherited(forward)
    assert sum(map(len, ROOMS.values())) > 1000
