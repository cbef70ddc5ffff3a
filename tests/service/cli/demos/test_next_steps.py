"""How a user goes on: with a service, with a folder, or with neither."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from deltawire import Model
from deltawire_service.cli.demos.next_steps import show_next_steps
from deltawire_service.cli.demos.training import Trained

CLIENT: Any = None
TRAINED = Trained(Model(CLIENT, "demo-digits-2", "float32", {}), "demo-digits-training-0a1b", "f00d")


@pytest.mark.parametrize(
    ("url", "folder", "commands"),
    [
        (None, None, ["deltawire demo digits --data-dir data"]),
        (
            None,
            "my data",
            [
                "DELTAWIRE_DATA_DIR='my data' deltawire train demo-digits-2 --data demo-digits-training-0a1b "
                "--epochs 10",
                "DELTAWIRE_DATA_DIR='my data' deltawire serve",
                "http://127.0.0.1:8000/models#curves=run:f00d",
            ],
        ),
        (
            "http://host:1/",
            None,
            [
                "deltawire train demo-digits-2 --data demo-digits-training-0a1b --epochs 10 --url http://host:1/",
                "http://host:1/models#curves=run:f00d",
            ],
        ),
    ],
)
def test_the_commands_name_what_there_is(url: str | None, folder: str | None, commands: list[str]) -> None:
    output = io.StringIO()
    screen = Console(file=output, width=60, markup=False, highlight=False)
    show_next_steps(screen, "digits", TRAINED, url, None if folder is None else Path(folder))
    lines = [line.strip() for line in output.getvalue().splitlines()]
    assert [line for line in lines[2:] if line and not line.startswith("#")] == commands
