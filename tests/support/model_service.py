"""A service that publishes networks and keeps models, and its callers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from flask import Flask
from flask.testing import FlaskClient
from support.clients import publish_all

from deltawire_layers import Registry
from deltawire_service.app import create_app
from deltawire_service.settings import Settings

ADAM: dict[str, Any] = {"kind": "adam", "config": {"learning_rate": 0.05}}


def key_lines(*keys: str) -> str:
    """The setting `api_keys` for the secrets of keys, each of an owner of that name."""
    return "\n".join(f"{hashlib.sha256(key.encode()).hexdigest()} {key}" for key in keys)


@contextmanager
def model_service(
    folder: Path, *keys: str, layers: Registry | None = None, **settings: Any
) -> Iterator[Flask]:
    """A service in a folder, with the networks of support.clients.

    keys: the secrets of API keys, each of an owner of that name.
    """
    networks = folder / "networks"
    if not networks.exists():
        networks.mkdir()
        publish_all(networks)
    app = create_app(
        Settings(
            log_level="error",
            networks_dir=str(networks),
            data_dir=str(folder / "store"),
            api_keys=key_lines(*keys),
            **settings,
        ),
        layers,
    )
    yield app
    app.extensions["deltawire"].models.database.close()


def caller(app: Flask, key: str = "") -> FlaskClient:
    """A client that sends this key with every request."""
    client = app.test_client()
    if key:
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    return client


def done(answer: Any) -> Any:
    """The document of an answer that is right."""
    assert answer.status_code in (200, 201), answer.text
    return answer.json


def lists(arrays: Mapping[str, Any]) -> dict[str, Any]:
    return {name: np.asarray(array).tolist() for name, array in arrays.items()}


def create(client: FlaskClient, name: str, network: Any, **parts: Any) -> Any:
    return done(client.post("/v1/models", json={"name": name, "network": network, "optimizer": ADAM} | parts))


def step(client: FlaskClient, name: str, data: Mapping[str, Any], **parts: Any) -> Any:
    return done(client.post(f"/v1/models/{name}/steps", json={"data": lists(data)} | parts))


def compute(client: FlaskClient, name: str, route: str, **parts: Any) -> Any:
    return done(client.post(f"/v1/models/{name}/{route}", json=parts))
