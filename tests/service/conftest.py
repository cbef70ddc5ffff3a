"""What the tests of the service share."""

from __future__ import annotations

import pytest
from support.layers import BUILT_IN


@pytest.fixture
def built_in_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service has the layers of deltawire and no others, whatever is installed here."""
    monkeypatch.setattr("deltawire_service.app.load_layers", lambda: BUILT_IN)
