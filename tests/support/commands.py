"""Commands of `deltawire` on the lecture's flow graph, and the service's own answers to compare with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from support.console import ROOT, run

from deltawire_service.app import create_app
from deltawire_service.settings import Settings

FLOW = ROOT / "examples" / "flow_graph.json"
REQUEST: dict[str, Any] = json.loads(FLOW.read_text())
SPEC = REQUEST["network"]
BATCH = {name: np.array(numbers) for name, numbers in REQUEST["data"].items()}


def answered(method: str, route: str, body: dict[str, Any] | None = None) -> Any:
    """The document the service answers."""
    client = create_app(Settings(log_level="error")).test_client()
    answer = client.open(route, method=method, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json


def document(*arguments: str | Path, code: int = 0) -> Any:
    """The one JSON document a command prints."""
    result = run(*arguments, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def without(document: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in keys}
