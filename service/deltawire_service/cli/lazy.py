"""A group whose commands are imported when they are called: each needs other parts of the service."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """A group of commands, each of which is imported when it is asked for.

    Args:
        sources: the module and the name of each command, as `package.module:name`, by command.
        options: options of `click.Group`.
    """

    def __init__(self, *, sources: Mapping[str, str], **options: Any):
        super().__init__(**options)
        self.sources = sources

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names of all commands, in alphabetical order."""
        return sorted(self.sources)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return a command by its name; None when there is none."""
        if name not in self.sources:
            return None
        module, attribute = self.sources[name].split(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command
