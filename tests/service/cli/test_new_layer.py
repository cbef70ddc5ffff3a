"""deltawire new-layer: a distribution whose tests pass."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.console import run

from deltawire_layers import load_layers
from deltawire_service.cli.outcome import Exit

KINDS: dict[str, list[str]] = {"equations by hand": [], "forward only": ["--forward-only"]}


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
def test_new_layer_writes_a_distribution_whose_tests_pass(
    options: list[str], here: Path, built_in_alone: None
) -> None:
    assert run("new-layer", "soft-gate", *options).exit_code == 0
    folder = here / "deltawire-soft-gate"
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md", "deltawire_soft_gate.py", "pyproject.toml", "test_soft_gate.py",
    ]  # fmt: skip
    tests = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert tests.returncode == 0, tests.stdout
    os.chdir(folder)
    assert run("check-layer", "deltawire_soft_gate:SoftGate", "2,3", "--config", '{"gain": 3}').exit_code == 0


LONGEST = "abcdefghij-" * 5 + "abcdefghi"


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("name", ["soft-gate", "a2", "x", LONGEST])
def test_what_it_writes_passes_plain_ruff(
    name: str, options: list[str], here: Path, built_in_alone: None
) -> None:
    assert run("new-layer", name, *options).exit_code == 0
    (folder,) = here.iterdir()
    for command in (["check"], ["format", "--check"])[: 1 if name == LONGEST else 2]:
        ruff = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", "."],
            cwd=folder, capture_output=True, text=True,
        )  # fmt: skip
        assert ruff.returncode == 0, ruff.stdout + ruff.stderr


OTHER = '''"""Another layer: two inputs, one of them integers, no parameters, another class."""

from collections.abc import Mapping
from math import prod

import numpy as np
from deltawire_layers import Activation, Array, Layer, Shape


class Lifted(Layer):
    """y = x + 10 k, with x (...), k (...), y (...)."""

    def output_shape(self, x: Shape, k: Shape) -> Shape:
        return x

    def integer_inputs(self, x: Shape, k: Shape) -> dict[int, range]:
        return {1: range(3)}

    def forward(self, params: Mapping[str, Array], x: Array, k: Array) -> Activation:
        return Activation(x + 10 * k.astype(x.dtype), deltas=(lambda delta: SLOPE * delta, None))


EXAMPLES = [{"layer": Lifted(), "params": {}, "inputs": [[[1, 2]], [[0, 2]]], "value": VALUE}]
'''


@pytest.mark.parametrize(
    ("slope", "value", "broken"),
    [
        ("1", "[[1, 22]]", None),
        ("2", "[[1, 22]]", "test_the_contract"),
        ("1", "[[1, 21]]", "test_the_value"),
        ("1", "[[[1, 22]]]", "test_the_value"),
    ],
)
def test_its_test_fits_another_layer(
    here: Path, built_in_alone: None, slope: str, value: str, broken: str | None
) -> None:
    run("new-layer", "soft-gate")
    path = here / "deltawire-soft-gate" / "deltawire_soft_gate.py"
    path.write_text(OTHER.replace("SLOPE", slope).replace("VALUE", value))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    tests = subprocess.run(command, cwd=path.parent, capture_output=True, text=True)
    failed = {
        line.split()[1].split("::")[1].split("[")[0]
        for line in tests.stdout.splitlines()
        if line[:6] == "FAILED"
    }
    assert failed == ({broken} if broken else set()), tests.stdout


def test_its_test_needs_examples(here: Path, built_in_alone: None) -> None:
    run("new-layer", "soft-gate")
    path = here / "deltawire-soft-gate" / "deltawire_soft_gate.py"
    path.write_text(path.read_text().partition("EXAMPLES = [")[0] + "EXAMPLES = []\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    tests = subprocess.run(command, cwd=path.parent, capture_output=True, text=True)
    assert tests.returncode == 1 and "test_there_are_examples" in tests.stdout


def test_a_new_layer_without_saved_prints_the_line_to_paste(here: Path, built_in_alone: None) -> None:
    run("new-layer", "soft-gate")
    path = here / "deltawire-soft-gate" / "deltawire_soft_gate.py"
    source = path.read_text()
    start, end = source.index("    def saved("), source.index("    def forward(")
    path.write_text(source[:start] + source[end:])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    failing = subprocess.run(command, cwd=path.parent, capture_output=True, text=True)
    line = "def saved(self, x): return prod(x)"
    assert failing.returncode == 1 and f"paste: {line}\n" in failing.stdout
    path.write_text(f"{source[:start]}    {line}\n\n{source[end:]}")
    mended = subprocess.run(command, cwd=path.parent, capture_output=True, text=True)
    assert mended.returncode == 0, mended.stdout


def test_new_layer_into_another_folder(here: Path) -> None:
    (here / "there").mkdir()
    assert run("new-layer", "mine", "--into", "there").exit_code == 0
    assert (here / "there" / "deltawire-mine" / "deltawire_mine.py").is_file()


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["relu"], f"taken, by {load_layers().distribution('relu')}"),
        (["Relu"], "no name"),
        (["a--b"], "no name"),
        (["2d"], "no name"),
        (["../up"], "no name"),
        (["x" * 65], "no name"),
        (["none"], "class 'None'"),
        (["layer"], "class 'Layer'"),
        (["mapping"], "class 'Mapping'"),
        (["there"], "File exists"),
        (["mine", "--into", "nowhere"], "does not exist"),
    ],
)
def test_new_layer_refuses(arguments: list[str], message: str, here: Path) -> None:
    (here / "deltawire-there").mkdir()
    result = run("new-layer", *arguments)
    assert result.exit_code == Exit.USAGE and message in result.stderr
    assert [path.name for path in here.iterdir()] == ["deltawire-there"]
