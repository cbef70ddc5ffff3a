"""torch's losses of classes: labels and probabilities, every option, expressed or refused by name."""

from __future__ import annotations

from importlib import import_module
from itertools import product
from typing import Any

import pytest

from deltawire import Client, Refused

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def torch() -> Any:
    return import_module("torch")


@pytest.fixture(scope="module")
def client() -> Client:
    return Client()


def verdict(module: Any, *examples: Any, client: Client) -> str:
    return str(import_module("support.torch_difference").verdict(module, *examples, client=client))


@pytest.mark.parametrize("reduction", ["none", "sum"])
@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 5), (4, 3, 2, 2)], ids=str)
def test_labels(shape: tuple[int, ...], reduction: str, torch: Any, client: Client) -> None:
    scores, labels = torch.randn(shape), torch.randint(0, 3, (4, *shape[2:]))
    weight = torch.tensor([0.5, 1, 2])
    for weights, ignored in product((None, weight), (-100, 1)):
        settings = {"weight": weights, "ignore_index": ignored, "reduction": reduction}
        for loss in (
            torch.nn.CrossEntropyLoss(label_smoothing=0.1, **settings),
            torch.nn.NLLLoss(**settings),
        ):
            assert verdict(loss, scores, labels, client=client) == "right"


def test_labels_that_are_ignored(torch: Any, client: Client) -> None:
    scores, labels = torch.randn(4, 3, 5), torch.randint(0, 3, (4, 5))
    labels[1, 2] = labels[3] = -100
    for reduction in ("none", "sum"):
        loss = torch.nn.CrossEntropyLoss(reduction=reduction)
        assert verdict(loss, scores, labels, client=client) == "right"


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_means(smoothing: float, torch: Any, client: Client) -> None:
    for shape in ((4, 3), (4, 3, 5)):
        labels = torch.randint(0, 3, (4, *shape[2:]))
        loss = torch.nn.CrossEntropyLoss(label_smoothing=smoothing)
        assert verdict(loss, torch.randn(shape), labels, client=client) == "right"


def test_an_ignored_label_of_a_mean_is_refused_with_the_data(torch: Any, client: Client) -> None:
    """torch divides by the labels that count; the network takes labels that all do."""
    from_torch = import_module("deltawire.importers.torch_fx").from_torch
    scores, labels = torch.randn(4, 3), torch.randint(0, 3, (4,))
    network, params, constants, _ = from_torch(torch.nn.CrossEntropyLoss(), scores, labels, client=client)
    labels[0] = -100
    with pytest.raises(Refused, match="label_out_of_range|expected .* from 0 to 2"):
        client.value_and_grad(network, params, {"input": scores.numpy(), "target": labels.numpy()})


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_probabilities(reduction: str, torch: Any, client: Client) -> None:
    for shape in ((4, 3), (4, 3, 5), (4, 3, 2, 2)):
        for weight, smoothing in ((None, 0.0), (torch.tensor([0.5, 1, 2]), 0.1)):
            loss = torch.nn.CrossEntropyLoss(weight, reduction=reduction, label_smoothing=smoothing)
            target = torch.randn(shape).softmax(1)
            assert verdict(loss, torch.randn(shape), target, client=client) == "right"


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_margins(reduction: str, torch: Any, client: Client) -> None:
    scores, labels = torch.randn(4, 3), torch.randint(0, 3, (4,))
    for settings in ({}, {"p": 2, "margin": 0.7}, {"weight": torch.tensor([0.5, 1, 2])}):
        loss = torch.nn.MultiMarginLoss(reduction=reduction, **settings)
        assert verdict(loss, scores, labels, client=client) == "right"


@pytest.mark.parametrize("features", [(), (2,)])
def test_a_linear_layer_with_its_loss(features: tuple[int, ...], torch: Any, client: Client) -> None:
    loss = getattr(torch.nn, "LinearCrossEntropyLoss", None)
    if loss is None:
        pytest.skip("this torch has no LinearCrossEntropyLoss")
    module = loss(4, 3, out_features=features, bias=True, reduction="none")
    call = import_module("suites.torch_calls").call
    examples = {"input": torch.randn(5, 4), "target": torch.randint(0, 3, (5, *features))}
    called, given = call(module, examples)
    assert verdict(called, *given, client=client) == "right"


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"weight": [1.0, 2, 3]}, "weight, with reduction='mean'"),
        ({"ignore_index": 1}, "ignore_index=1, with reduction='mean'"),
    ],
)
def test_means_that_depend_on_the_batch_are_refused(
    settings: dict[str, Any], message: str, torch: Any, client: Client
) -> None:
    if "weight" in settings:
        settings = {"weight": torch.tensor(settings["weight"])}
    with pytest.raises(Refused, match=message):
        verdict(
            torch.nn.CrossEntropyLoss(**settings),
            torch.randn(4, 3),
            torch.tensor([0, 1, 2, 0]),
            client=client,
        )


def test_weights_of_classes_that_are_learned_are_refused(torch: Any, client: Client) -> None:
    class Model(torch.nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.weights = torch.nn.Parameter(torch.tensor([1.0, 2, 3]))

        def forward(self, x: Any, label: Any) -> Any:
            return torch.nn.functional.cross_entropy(x, label, self.weights, reduction="sum")

    with pytest.raises(Refused, match="would learn 'weights'|cross_entropy"):
        verdict(Model(), torch.randn(4, 3), torch.tensor([0, 1, 2, 0]), client=client)


def test_a_margin_below_zero_is_refused_by_name(torch: Any, client: Client) -> None:
    loss = torch.nn.MultiMarginLoss(margin=-1.0, reduction="none")
    scores, labels = torch.randn(5, 4), torch.randint(0, 4, (5,))
    with pytest.raises(Refused, match="margin=-1.0"):
        verdict(loss, scores, labels, client=client)
