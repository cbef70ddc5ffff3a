"""Programs of the documentation print the same in every terminal."""

from __future__ import annotations

import pytest
import rich


@pytest.fixture
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress bars are drawn without colours, 80 columns wide."""
    for variable in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(rich, "_console", None)  # the one that is shared is made anew
