"""Distributions that cannot be used, loaded by every kind of start: refused, named, and no other harmed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from support.console import run
from support.distributions import install
from torture.layers import kind_of

from deltawire import Client
from deltawire_layers import RegistryError, load_layers
from deltawire_service.app import create_app

CLASS = """
from marshmallow import Schema
from deltawire_layers import Layer

class Broken(Layer):
    "y = x, for x (...)."
    def output_shape(self, x):
        return x
"""
START: dict[str, str] = {
    "raises": "raise RuntimeError('no licence')",
    "exits": "import sys\nsys.exit('no licence')",
    "interrupts": "raise KeyboardInterrupt",
    "closes a generator": "raise GeneratorExit",
    "recurses": "def f():\n    f()\nf()",
    "raises what is no Exception": "class E(BaseException): pass\nraise E",
    "has no such name": "Other = 1",
    "is no layer": "def Broken(): pass",
    "has a Config that is no Schema": f"{CLASS}\n    Config = dict",
    "has a Config that fails": (
        f"{CLASS}\n    class Config(Schema):\n        def __init__(self):\n            raise SystemExit(0)"
    ),
    "takes no input": f"{CLASS}\n    def output_shape(self):\n        return ()",
    "has a kind that is taken": CLASS,
}


def told_by_load_layers() -> str:
    return refused(load_layers)


def told_by_create_app() -> str:
    return refused(create_app)


def told_by_client() -> str:
    return refused(Client)


def told_by_command_line() -> str:
    result = run("layers")
    assert result.exit_code == 5, result.output
    return result.stderr


def refused(start: Callable[[], Any]) -> str:
    try:
        start()
    except RegistryError as error:
        return str(error)
    raise AssertionError("it starts")


STARTS = (told_by_load_layers, told_by_create_app, told_by_client, told_by_command_line)


class Start(NamedTuple):
    """A distribution that cannot be used, and one way to start."""

    what: str
    start: Callable[[], str]

    @property
    def id(self) -> str:
        return f"start-{self.what.replace(' ', '-').lower()}-{self.start.__name__}"

    def run(self) -> None:
        """AssertionError unless the start is refused, naming the distribution, and the next one is not."""
        with installed(self.what):
            told = " ".join(self.start().split())
        assert "acme 2.0" in told and "Traceback" not in told, told
        assert "linear" in load_layers()


@contextmanager
def installed(what: str) -> Iterator[Path]:
    """The distribution that does this when it is loaded, on the path."""
    module = kind_of("acme", what)
    with TemporaryDirectory() as folder:
        site = Path(folder)
        (site / f"{module}.py").write_text(START[what])
        install(site, "acme 2.0", **{"linear" if "taken" in what else "broken": f"{module}:Broken"})
        sys.path.insert(0, folder)
        importlib.invalidate_caches()
        try:
            yield site
        finally:
            sys.path.remove(folder)
            importlib.invalidate_caches()


START_CASES = [Start(what, start) for what in START for start in STARTS]
