"""POST /v1/init: the same numbers for the same seed, ready to be posted back."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from support.posting import good

from deltawire_service.app import create_app
from deltawire_service.settings import Settings


def init(**options: Any) -> dict[str, Any]:
    client = create_app(Settings(log_level="error")).test_client()
    answer = client.post("/v1/init", json={"network": good()["network"]} | options)
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def test_parameters_have_the_shapes_of_the_network() -> None:
    answer = init()
    assert answer.keys() == {"params", "network_id"}
    shapes = {name: np.shape(numbers) for name, numbers in answer["params"].items()}
    assert shapes == {"scores.weight": (3, 2), "scores.bias": (3,)}


def test_the_seed_decides_and_0_is_the_default() -> None:
    assert init(seed=7) == init(seed=7)
    assert init() == init(seed=0)
    assert init(seed=7)["params"] != init(seed=2**64 - 1)["params"]


def test_dtype_and_writing_are_those_asked_for() -> None:
    wide, narrow = init(), init(dtype="float32", tensors="base64")
    weight = narrow["params"]["scores.weight"]
    assert (weight["dtype"], weight["shape"]) == ("float32", [3, 2])
    decoded = np.frombuffer(base64.b64decode(weight["base64"]), "<f4").reshape(3, 2)
    np.testing.assert_array_equal(decoded, np.float32(wide["params"]["scores.weight"]))


def test_what_is_drawn_can_be_posted_back() -> None:
    client = create_app(Settings(log_level="error")).test_client()
    for tensors in ("lists", "base64"):
        answer = client.post("/v1/gradients", json=good() | {"params": init(tensors=tensors)["params"]})
        assert answer.status_code == 200
        assert answer.json["network_id"] == init()["network_id"]
