"""The lecture's four explanations, by the service: circuits, the two equations, the flow graph, delta
signals.

The numbers are those of Stanford CS224n, lecture 5 (backpropagation); the identities are its equations.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltawire_service.app import create_app

EXAMPLES = Path(__file__).parents[2] / "examples"


def posted(name: str, **changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """An example's request, and the service's answer to it."""
    request = json.loads((EXAMPLES / f"{name}.json").read_text()) | changes
    answer = create_app().test_client().post("/v1/gradients", json=request)
    assert answer.status_code == 200, answer.text
    return request, answer.json


def arrays(numbers: dict[str, Any]) -> dict[str, np.ndarray]:
    return {name: np.array(number) for name, number in numbers.items()}


def sigmoid_slope(a: np.ndarray) -> np.ndarray:
    return a * (1 - a)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_every_example_is_answered(path: Path) -> None:
    posted(path.stem)


def test_circuit() -> None:
    """f = (x + y)·z at (−2, 5, −4): local gradient times upstream gradient, gate by gate."""
    _, answer = posted("circuit")
    assert answer["loss"] == -12
    assert answer["values"] == {"q": [3], "f": [-12]}
    assert answer["gradients"]["data"] == {"x": [-4], "y": [-4], "z": [3]}
    assert answer["deltas"] == {"q": [-4], "f": [1]}


@pytest.mark.parametrize("name", ["sigmoid_neuron_gates", "sigmoid_neuron_layer"])
def test_sigmoid_neuron(name: str) -> None:
    """1/(1 + e^−(w₀x₀ + w₁x₁ + w₂)) from single gates, and through the one layer."""
    _, answer = posted(name)
    assert round(answer["loss"], 2) == 0.73
    gradients = {name: round(gradient, 2) for name, (gradient,) in answer["gradients"]["data"].items()}
    assert gradients == {"w0": -0.20, "w1": -0.39, "w2": 0.20, "x0": 0.39, "x1": -0.59}


def test_the_neuron_is_the_same_from_gates_and_as_a_layer() -> None:
    _, gates = posted("sigmoid_neuron_gates")
    _, layer = posted("sigmoid_neuron_layer")
    for name, gradient in layer["gradients"]["data"].items():
        assert gates["gradients"]["data"][name] == pytest.approx(gradient, rel=1e-14)


def test_window_classifier_two_equations() -> None:
    """δ⁽ˡ⁾ = (Wᵀδ⁽ˡ⁺¹⁾) ∘ f′(z⁽ˡ⁾), and each gradient is δ·aᵀ + λW, added over the two windows that share
    W."""
    request, answer = posted("window_classifier", reduction="sum", values=VALUES, deltas=DELTAS)
    params, values = arrays(request["params"]), arrays(answer["values"])
    deltas, grads = arrays(answer["deltas"]), arrays(answer["gradients"]["params"])
    regularization = request["network"]["regularization"]["l2"]

    assert (1 - values["score"] + values["score_corrupt"] > 0).all()  # both windows are inside the margin
    assert (deltas["score"] == -1).all() and (deltas["score_corrupt"] == 1).all()
    for window in ("", "_corrupt"):
        a1, a2 = values["a1" + window], values["a2" + window]
        delta2 = deltas["score" + window] @ params["score.weight"] * sigmoid_slope(a2)
        assert deltas["z2" + window] == pytest.approx(delta2, rel=1e-12)
        delta1 = delta2 @ params["z2.weight"] * sigmoid_slope(a1)
        assert deltas["z1" + window] == pytest.approx(delta1, rel=1e-12)
        assert deltas["x" + window] == pytest.approx(delta1 @ params["z1.weight"], rel=1e-12)

    for layer, below in (("score", "a2"), ("z2", "a1"), ("z1", "x")):
        outer = sum(
            np.outer(delta, activation)
            for window in ("", "_corrupt")
            for delta, activation in zip(deltas[layer + window], values[below + window], strict=True)
        )
        expected = outer + regularization * params[f"{layer}.weight"]
        assert grads[f"{layer}.weight"] == pytest.approx(expected, rel=1e-12), layer
    for layer in ("z1", "z2"):
        bias = deltas[layer].sum(axis=0) + deltas[f"{layer}_corrupt"].sum(axis=0)
        assert grads[f"{layer}.bias"] == pytest.approx(bias, rel=1e-12)


VALUES = [node + window for window in ("", "_corrupt") for node in ("x", "a1", "a2", "score")]
DELTAS = [node + window for window in ("", "_corrupt") for node in ("x", "z1", "z2", "score")]


def test_window_classifier_reaches_the_word_vectors() -> None:
    """Each word's vector gets the part of the window's δ that stands over it; words not in a window get
    none."""
    request, answer = posted("window_classifier", reduction="sum", deltas=["x", "x_corrupt"])
    expected = np.zeros((10, 4))
    for windows, deltas in (("window", "x"), ("corrupt_window", "x_corrupt")):
        for words, delta in zip(request["data"][windows], arrays(answer["deltas"])[deltas], strict=True):
            for place, word in enumerate(words):
                expected[word] += delta[4 * place : 4 * place + 4]
    gradient = np.array(answer["gradients"]["params"]["vectors.weight"])
    assert gradient == pytest.approx(expected, rel=1e-12)
    assert not gradient[9].any() and gradient[7].any()


def test_flow_graph_paths_add_up() -> None:
    """The short-circuit connection carries δ past the sigmoid layer, and what arrives at x is the sum of
    both."""
    request, answer = posted("flow_graph", values=["a", "probs"], losses=True)
    params, deltas = arrays(request["params"]), arrays(answer["deltas"])
    a, probs = (np.array(answer["values"][name]) for name in ("a", "probs"))
    labels = np.array(request["data"]["y"])
    batch = len(labels)

    assert answer["losses"] == pytest.approx(-np.log(probs[np.arange(batch), labels]))
    assert deltas["scores"] == pytest.approx(
        (probs - np.eye(3)[labels]) / batch, rel=1e-12
    )  # softmax − target
    assert deltas["skip"] == pytest.approx(deltas["scores"] @ params["scores.weight"], rel=1e-12)
    through_layer = (deltas["skip"] * sigmoid_slope(a)) @ params["hidden.weight"]
    short_circuit = deltas["skip"]
    assert np.array(answer["gradients"]["data"]["x"]) == pytest.approx(
        through_layer + short_circuit, rel=1e-12
    )
