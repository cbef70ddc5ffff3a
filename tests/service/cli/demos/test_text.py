"""The demo of text: a causal network, and samples that are drawn as it predicts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deltawire import Client
from deltawire_service.cli.demos.text import LENGTH, Text


@pytest.fixture(scope="module")
def demo() -> Text:
    return Text()


def test_the_rows_are_the_text(demo: Text) -> None:
    for rows in (demo.training, demo.validation):
        assert rows["text"].shape == rows["next"].shape and rows["text"].shape[1] == LENGTH
        np.testing.assert_array_equal(rows["text"][:, 1:], rows["next"][:, :-1])
    first = demo.vocabulary.text(demo.validation["text"][0])
    training = demo.vocabulary.text(demo.training["text"].ravel())
    assert first not in training and demo.vocabulary.text(demo.training["text"][0]) in training


def test_a_score_depends_on_what_is_before_it_alone(demo: Text) -> None:
    client, net = Client(), demo.network()
    params = client.init(net, seed=0, dtype="float32")
    text = demo.validation["text"][:1]
    other = text.copy()
    other[0, 20:] = (other[0, 20:] + 1) % len(demo.vocabulary)
    scores, others = (
        client.forward(net, params, {"text": each}, ["scores"])["scores"] for each in (text, other)
    )
    np.testing.assert_array_equal(scores[0, :20], others[0, :20])
    assert (scores[0, 20:] != others[0, 20:]).any(axis=1).all()


def test_the_loss_is_that_of_a_piece(demo: Text) -> None:
    client, net = Client(), demo.network()
    params = client.init(net, seed=0, dtype="float32")
    batch = {name: rows[:4] for name, rows in demo.validation.items()}
    loss, gradients = client.value_and_grad(net, params, batch)
    assert loss == pytest.approx(np.log(len(demo.vocabulary)), rel=0.1), "nothing is learned yet"
    assert all(gradient.any() for gradient in gradients.values())


class Counting:
    """A model that is sure: after each piece comes the one with the next number."""

    def __init__(self, size: int):
        self.size = size

    def forward(self, data: Any, values: Any) -> dict[str, Any]:
        return {"scores": 1000.0 * np.eye(self.size)[(data["text"] + 1) % self.size]}


def test_a_sample_follows_the_predictions_beyond_the_length_that_the_network_sees(demo: Text) -> None:
    model: Any = Counting(len(demo.vocabulary))
    count = LENGTH + 20
    first = demo.vocabulary.numbers("\n")[0] + 1
    assert demo.sample(model, count) == demo.vocabulary.text(range(first, first + count)).strip()
