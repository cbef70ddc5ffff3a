"""The vectors for authors of clients: our codec passes them, and they are what the service answers today."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from safetensors.numpy import load
from support.vectors import FOLDER, REFUSED, REFUSED_FILES, VECTORS

from deltawire import wire
from deltawire.errors import Refused
from deltawire_service.app import create_app
from deltawire_service.settings import Settings

ROUTES: dict[str, str] = json.loads((FOLDER / "routes.json").read_text())
DOCUMENTS = [(name, part) for name in ROUTES for part in ("request", "answer")]


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return create_app(Settings(log_level="error")).test_client()


def body(name: str, part: str, media_type: str) -> bytes:
    return (FOLDER / name / f"{part}.{'json' if media_type == wire.JSON else 'safetensors'}").read_bytes()


def bits(document: Any) -> Any:
    """The document with dtype, shape and bytes in place of each tensor, in either media type."""
    if isinstance(document, Mapping) and "base64" in document:
        document = wire.read_tensor(document, document["dtype"])
    if isinstance(document, np.ndarray):
        return document.dtype.name, document.shape, document.tobytes()
    if isinstance(document, Mapping):
        return {name: bits(value) for name, value in document.items()}
    return document


def decoded(body: bytes, media_type: str, part: str) -> Any:
    return bits(wire.decode(body, media_type, part="response" if part == "answer" else part))


def test_every_vector_is_listed() -> None:
    folders = {path.name for path in FOLDER.iterdir() if path.is_dir()} - {REFUSED.name}
    assert folders == set(ROUTES) == set(VECTORS)
    assert {path.stem for path in REFUSED.iterdir()} == set(REFUSED_FILES)


@pytest.mark.parametrize("name, part", DOCUMENTS)
def test_both_files_hold_one_document(name: str, part: str) -> None:
    one, other = (decoded(body(name, part, each), each, part) for each in wire.MEDIA_TYPES)
    assert one == other


@pytest.mark.parametrize("name, part", DOCUMENTS)
def test_what_is_encoded_is_decoded_again(name: str, part: str) -> None:
    key = "response" if part == "answer" else part
    document = wire.decode(body(name, part, wire.SAFETENSORS), wire.SAFETENSORS, part=key)
    for media_type in wire.MEDIA_TYPES:
        encoded = wire.encode(document, media_type, "base64", part=key)
        assert decoded(encoded, media_type, part) == bits(document)


@pytest.mark.parametrize("name, part", DOCUMENTS)
def test_the_safetensors_library_reads_the_same_numbers(name: str, part: str) -> None:
    document = decoded(body(name, part, wire.JSON), wire.JSON, part)
    for place, array in load(body(name, part, wire.SAFETENSORS)).items():
        value = document
        for key in place.split("/"):
            value = value[key]
        assert value == bits(array)


@pytest.mark.parametrize("media_type", wire.MEDIA_TYPES)
@pytest.mark.parametrize("name", ROUTES)
def test_the_service_answers_the_same_bits(client: FlaskClient, name: str, media_type: str) -> None:
    answer = client.post(ROUTES[name], data=body(name, "request", media_type), content_type=media_type)
    assert answer.status_code == 200, answer.text
    received = decoded(answer.data, media_type, "answer")
    expected = decoded(body(name, "answer", wire.JSON), wire.JSON, "answer")
    later = {"network_id": received["network_id"]}  # changes with the defaults of the layers
    assert received == expected | later


@pytest.mark.parametrize("path", sorted(REFUSED.iterdir()), ids=lambda path: path.stem)
def test_what_no_client_may_accept_is_refused(path: Any) -> None:
    with pytest.raises(Refused):
        wire.decode(path.read_bytes(), wire.SAFETENSORS, part="response")
