"""docs/cli.md shows every command and option, and what it shows is what happens."""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from support.console import ROOT, blocks, outcome, told

from deltawire_service.cli.group import deltawire
from deltawire_service.cli.outcome import Exit

PAGE = ROOT / "docs" / "cli.md"
COMMON, *SECTIONS = re.split(r"^## deltawire ", PAGE.read_text(), flags=re.MULTILINE)
BY_COMMAND = {section.partition("\n")[0]: section for section in SECTIONS}


def loaded() -> Iterator[tuple[str, click.Command]]:
    """All commands by name."""
    context = click.Context(deltawire)
    for name in deltawire.list_commands(context):
        command = deltawire.get_command(context, name)
        assert command is not None
        yield name, command


COMMANDS: dict[str, list[click.Command]] = {
    name: [command, *(command.commands.values() if isinstance(command, click.Group) else ())]
    for name, command in loaded()
}
"""Each command by the section that explains it; a group with its own commands."""
EXAMPLES = [block for block in blocks(PAGE) if block.language == "console"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the page makes."""
    made = tmp_path_factory.mktemp("folder")
    (made / "examples").symlink_to(ROOT / "examples")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        for language, file, text in blocks(PAGE):
            if file:
                Path(file).write_text(text)
            elif language == "python":
                exec(compile(text, str(PAGE), "exec"), {})
    return made


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.text.partition("\n")[0])
def test_examples_do_what_they_show(
    example, folder: Path, monkeypatch: pytest.MonkeyPatch, built_in_alone: None
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DELTAWIRE_DATA_DIR", "data")
    monkeypatch.setattr(sys, "path", sys.path.copy())
    monkeypatch.setattr(os, "execv", lambda *command: None)
    create = socket.create_server  # at a free port, whichever the example has
    monkeypatch.setattr("socket.create_server", lambda at, **family: create((at[0], 0), **family))
    command, output = told(example.text)
    assert output.fullmatch(outcome(command))


def test_every_command_is_there_with_an_example() -> None:
    assert sorted(BY_COMMAND) == sorted(COMMANDS)
    assert all(f"[`{name}`](#deltawire-{name})" in COMMON for name in COMMANDS)
    for name, section in BY_COMMAND.items():
        assert re.search(rf"^(\$ )?deltawire {name}\b", section, re.MULTILINE), name


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_is_explained(name: str) -> None:
    for command in COMMANDS[name]:
        for option in (option for parameter in command.params for option in parameter.opts):
            if option.startswith("--"):
                assert f"`{option}" in BY_COMMAND[name] + COMMON, f"{name} {option}"


@pytest.mark.parametrize("name", [name for name in sorted(COMMANDS) if len(COMMANDS[name]) > 1])
def test_every_command_of_a_group_is_explained(name: str) -> None:
    for command in COMMANDS[name][1:]:
        assert f"`{name} {command.name}" in BY_COMMAND[name], command.name


def test_options_that_are_explained_exist() -> None:
    known = {
        option
        for commands in COMMANDS.values()
        for command in commands
        for each in command.params
        for option in each.opts
    }
    explained = set(re.findall(r"`(--[a-z0-9-]+)", PAGE.read_text()))
    assert explained <= known | {"--help", "--version"}


def test_exit_codes_are_the_same_in_the_code_the_help_and_the_page() -> None:
    in_page = dict(re.findall(r"^\| (\d) \| (.+) \|$", COMMON, re.MULTILINE))
    in_help = dict(re.findall(r"^  (\d)  (.+)$", deltawire.epilog or "", re.MULTILINE))
    assert in_page == in_help
    assert sorted(map(int, in_page)) == sorted(set(Exit) - {Exit.INTERRUPTED})
