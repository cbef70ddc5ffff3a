"""What the tests of the service share."""

from __future__ import annotations

import pytest
from support.layers import BUILT_IN


@pytest.fixture
def built_in_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service has the layers of deltawire and no others, whatever is installed here."""
    for module in ("app", "cli.new_layer"):
        monkeypatch.setattr(f"deltawire_service.{module}.load_layers", lambda: BUILT_IN)
