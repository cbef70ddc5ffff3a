"""GET /v1/limits: every limit, as set."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from deltawire_service.app import create_app
from deltawire_service.settings import Settings


def test_every_limit_is_told() -> None:
    settings = Settings(log_level="error", nodes=17)
    answer = create_app(settings).test_client().get("/v1/limits").json
    assert answer["limits"] == {
        name: limit for name, limit in asdict(settings).items() if type(limit) in (int, float)
    }
    assert answer["limits"]["nodes"] == 17
    assert answer["dtypes"] == ["float32", "float64", "int64"]
    assert answer["media_types"] == ["application/json", "application/vnd.safetensors"]
    assert answer["versions"]["numpy"] == np.__version__
