"""A stranger's distribution beside the service, as its entry point declares it: listed, described, used.

.ci/plugin does the same with the distribution really installed.
"""

from __future__ import annotations

import logging
import re
import runpy
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from threading import Thread
from typing import Any

import pytest
from support.console import ROOT, blocks
from werkzeug.serving import make_server

from deltawire_layers import load_layers
from deltawire_layers.registry import LAYERS, installed
from deltawire_service.app import create_app
from deltawire_service.settings import Settings

PACKAGE = ROOT / "examples" / "deltawire-swiglu"


@pytest.fixture(scope="module")
def app() -> Iterator[Any]:
    """The service of a machine that has the package."""
    declared = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]["entry-points"][LAYERS.name]
    points = [EntryPoint(kind, value, LAYERS.name) for kind, value in declared.items()]
    assert [point.name for point in points] == ["swiglu"]
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(PACKAGE)
        yield create_app(Settings(log_level="error"), load_layers([*installed("deltawire"), *points]))


def test_it_is_in_the_catalogue(app: Any) -> None:
    described = app.test_client().get("/v1/layers/swiglu").json
    assert described["summary"].startswith("y = (W x) ∘ silu(V x)")
    assert described["config"]["required"] == ["units"]
    assert set(described["formula"]["grads"]) == {"weight", "gate_weight"}


def test_it_is_in_the_description_of_the_api(app: Any) -> None:
    schemas = app.test_client().get("/openapi.json").json["components"]["schemas"]
    assert "swiglu" in schemas["Node"]["properties"]["kind"]["enum"]
    assert schemas["config.swiglu"]["required"] == ["units"]


def test_a_network_learns_with_it(
    app: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(logging.getLogger("werkzeug"), "disabled", True)
    with make_server("127.0.0.1", 0, app, threaded=True) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setattr(sys, "argv", ["train.py", f"http://127.0.0.1:{server.server_port}"])
        try:
            with pytest.raises(SystemExit) as exited:
                runpy.run_path(str(PACKAGE / "train.py"), run_name="__main__")
        finally:
            server.shutdown()
            thread.join()
    assert not exited.value.code
    page = blocks(ROOT / "docs" / "write-a-layer.md")
    (shown,) = (block.text for block in page if block.language == "text" and "loss" in block.text)
    assert losses(capsys.readouterr().out) == pytest.approx(losses(shown), abs=0.002)


def losses(printed: str) -> list[float]:
    return [float(number) for number in re.findall(r"^step \d+: loss ([\d.]+)$", printed, re.MULTILINE)]
