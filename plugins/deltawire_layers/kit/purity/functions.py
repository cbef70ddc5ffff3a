"""Remember the functions of modules that no layer may replace, and put them back."""

from __future__ import annotations

import builtins
import math
import os
import time
from types import ModuleType
from typing import Any

import numpy as np

LIBRARIES = (builtins, math, os, time, np, np.linalg, np.random)
"""Modules whose functions no layer may replace."""


class Functions:
    """The functions of some modules; submodules may be imported at any time."""

    def __init__(self) -> None:
        self._contents = [dict(vars(module)) for module in LIBRARIES]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Functions):
            return NotImplemented
        return self._contents == other._contents or self.by_name() == other.by_name()

    def by_name(self) -> dict[tuple[str, str], Any]:
        """Return the functions by their modules and names."""
        return {
            (module.__name__, name): thing
            for module, contents in zip(LIBRARIES, self._contents, strict=True)
            for name, thing in contents.items()
            if callable(thing) and name != "_"
        }


def write_functions(functions: Functions) -> None:
    """Put back what was replaced, and remove what was added."""
    modules: dict[str, ModuleType] = {module.__name__: module for module in LIBRARIES}
    before, after = functions.by_name(), Functions().by_name()
    for module, name in after.keys() - before.keys():
        delattr(modules[module], name)
    for (module, name), thing in before.items():
        if after.get((module, name)) is not thing:
            setattr(modules[module], name, thing)
