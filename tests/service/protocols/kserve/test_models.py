"""The models of KServe V2 that a published network is, and their metadata."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.engine import compiled
from support.publishing import publish

from deltawire import wire
from deltawire.errors import Refused
from deltawire_service.networks.published import Published, read_published
from deltawire_service.protocols.kserve.models import models

BYTES = (wire.SAFETENSORS, wire.SAFETENSORS)


@pytest.fixture
def published(tmp_path: Path) -> Published:
    path = publish(tmp_path, values=["scores"])
    return read_published("good", path, compiled)


def test_a_network_with_a_loss_is_two_models(published: Published) -> None:
    values, gradients = models(published).values()
    assert (values.name, gradients.name) == ("good", "good:gradients")
    assert {entry["name"]: entry["shape"] for entry in values.metadata(1)["inputs"]} == {"x": [-1, 2]}
    assert {entry["name"] for entry in gradients.metadata(1)["inputs"]} == {
        "x", "y", "scores.weight", "scores.bias",
    }  # fmt: skip
    assert [entry["optional"] for entry in gradients.config()["input"]] == [False, False, True, True]


@pytest.mark.parametrize("outputs, code", [(["score"], "unknown_name"), (["scores", "y"], "unknown_name")])
def test_an_output_that_does_not_exist_is_refused(published: Published, outputs: Any, code: str) -> None:
    values, gradients = models(published).values()
    for model in (values, gradients):
        with pytest.raises(Refused) as refused:
            model.infer(
                outputs, {"x": np.ones((1, 2)), "y": np.zeros(1, "i8")}, published.params, wire.DEFAULT, BYTES
            )
        assert (refused.value.code, refused.value.pointer) == (code, "/outputs")


def test_parameters_take_the_place_of_the_published(published: Published) -> None:
    values, gradients = models(published).values()
    x, weight = np.array([[1.0, 2.0]]), np.eye(3, 2)
    assert values.infer(["scores"], {"x": x}, published.params, wire.DEFAULT, BYTES)["scores"].shape == (1, 3)
    arrays = {"x": x, "y": np.zeros(1, "i8"), "scores.weight": weight, "scores.bias": np.zeros(3)}
    computed = gradients.infer(["values/scores"], arrays, published.params, wire.DEFAULT, BYTES)
    np.testing.assert_array_equal(computed["values/scores"], x @ weight.T)
