"""Words that were given up do not come back as the name of a module, a class or a setting.

Each had several meanings, or none that a stranger could know. Beside each stands the word that replaced it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from deltawire_service.settings import Settings

ROOT = Path(__file__).parents[1]
PACKAGES = ("service", "plugins", "client")

MODULES = {
    "exchange": "request_context",
    "slots": "compute_queue",
    "answers": "responses",
    "tellings": "observability",
    "options": "request_reader",
    "values": "request_tensors",
    "receiving": "body_reader",
    "allocator": "malloc",
    "exposure": "public_binding",
    "application": "flask_app",
    "timing": "server_timing",
    "tracing": "opentelemetry",
    "shared_counts": "multiprocess_metrics",
    "checks": "input_checks",
    "contract": "layer_calls",
    "wanted": "targets",
    "whole": "batch_run",
    "running": "runner",
    "streams": "random_streams",
    "planning": "repeated_plans",
    "step": "complex_step",
    "validation": "faults",
    "face": "protocol",
    "faces": "protocols",
    "sight": "scroll",
    "chains": "paths",
    "marks": "warnings",
    "shares": "contributions",
    "key": "legend",
    "later": "lazy",
}
"""Modules, and files of the explorer."""

CLASSES = {
    "Exchange": "RequestContext",
    "Slots": "ComputeQueue",
    "Turn": "Job",
    "SharedCounts": "MultiprocessCounts",
    "Carriage": "BodyCost",
    "Wanted": "Targets",
    "Part": "ArrayRole",
    "Watch": "Observer",
    "InputSlot": "InputSpec",
    "Face": "ProtocolContext",
    "Calls": "Transport",
    "Requests": "RequestBuilder",
    "Through": "PreactivationDeltas",
    "Fit": "AttentionDeltas",
}

SETTINGS = ("face", "faces", "slot", "slots", "exposure", "exchange", "carriage")
"""Words in the names of settings."""

ORDINARY = {"service/deltawire_service/cli/options.py": "the options of a command line"}
"""Files whose names are the ordinary word for what is in them."""


def retired(file: Path) -> Iterator[str]:
    """The retired names in a file, its own among them."""
    if file.stem in MODULES and str(file.relative_to(ROOT)) not in ORDINARY:
        yield f"{file}: '{file.stem}' is {MODULES[file.stem]} now"
    if file.suffix == ".py":
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef) and node.name in CLASSES:
                yield f"{file}: '{node.name}' is {CLASSES[node.name]} now"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_or_class_has_a_retired_name(package: str) -> None:
    files = [file for kind in ("py", "js") for file in sorted((ROOT / package).rglob(f"*.{kind}"))]
    files = [file for file in files if not {"vendor", "node_modules"} & set(file.parts)]
    assert len(files) > 10
    back = [name for file in files for name in retired(file)]
    assert not back, "\n".join(back)


def test_no_setting_has_a_retired_name() -> None:
    assert not [each.name for each in fields(Settings) if set(each.name.split("_")) & set(SETTINGS)]


def test_retired_names_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    file = tmp_path / "tellings.py"
    file.write_text("class Slots:\n    class Turn: ...\nclass Slotted: ...\n")
    assert [line.partition(": ")[2] for line in retired(file)] == [
        "'tellings' is observability now", "'Slots' is ComputeQueue now", "'Turn' is Job now",
    ]  # fmt: skip
    assert list(retired(tmp_path / "later.js")) != []
