"""Models over HTTP, in Flask's client."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from flask.testing import FlaskClient
from support.models import ADAM, SPEC, batch

from deltawire import wire
from deltawire_service.app import create_app
from deltawire_service.settings import Settings

__all__ = ["ADAM", "DATA", "SPEC", "as_lists", "make_client", "make_model", "read", "step"]


def as_lists(arrays: dict[str, Any]) -> dict[str, Any]:
    """Arrays as a JSON body has them, their names without `data/`."""
    return {name.removeprefix("data/"): np.asarray(array).tolist() for name, array in arrays.items()}


DATA = as_lists(batch(0))
"""A batch for `SPEC`."""


def make_client(folder: Path, **settings: Any) -> FlaskClient:
    """Of a service that keeps models in a folder."""
    given = {"log_level": "error", "data_dir": str(folder / "models"), "protocols": ""} | settings
    return create_app(Settings(**given)).test_client()


def make_model(client: FlaskClient, name: str = "model", **parts: Any) -> dict[str, Any]:
    """Make a model, and return the answer."""
    document = {"name": name, "network": SPEC, "optimizer": ADAM} | parts
    answer = client.post("/v1/models", json=document)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def step(client: FlaskClient, seed: int = 0, name: str = "model", key: str = "", **parts: Any) -> Any:
    """Send a step with the batch of a seed."""
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(
        f"/v1/models/{name}/steps", json={"data": as_lists(batch(seed))} | parts, headers=headers
    )


def read(answer: Any) -> Any:
    """The document of an answer, with arrays in it where it is binary."""
    return wire.decode(answer.data, answer.content_type)
