"""deltawire demo: its exit code, and the extra it needs."""

from __future__ import annotations

import sys

import pytest
from support.console import run

from deltawire_service.cli.outcome import Exit


def test_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    for code in (0, 1):
        monkeypatch.setattr("deltawire.demo.main", lambda code=code: code)
        assert run("demo").exit_code == code
    monkeypatch.setitem(sys.modules, "sklearn", None)
    result = run("demo")
    assert result.exit_code == Exit.USAGE and "pip install 'deltawire[demo]'" in result.stderr
