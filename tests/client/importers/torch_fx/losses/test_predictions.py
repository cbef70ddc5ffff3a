"""torch's losses of predictions: the numbers of torch for every reduction, or a refusal by name."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from deltawire import Client, Refused

pytestmark = pytest.mark.torch

REDUCTIONS = ["none", "mean", "sum"]

LOSSES: dict[str, dict[str, Any]] = {
    "MSELoss": {}, "L1Loss": {}, "SmoothL1Loss": {"beta": 0.5}, "HuberLoss": {"delta": 0.7},
    "BCEWithLogitsLoss": {}, "MultiLabelSoftMarginLoss": {}, "PoissonNLLLoss": {},
}  # fmt: skip
"""Losses of two arrays of any numbers, and their settings."""


@pytest.fixture(scope="module")
def torch() -> Any:
    return import_module("torch")


@pytest.fixture(scope="module")
def client() -> Client:
    return Client()


def verdict(module: Any, *examples: Any, client: Client) -> str:
    return str(import_module("support.torch_difference").verdict(module, *examples, client=client))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(4,), (4, 3), (4, 2, 3)], ids=str)
@pytest.mark.parametrize("name", LOSSES)
def test_losses_of_two_arrays(
    name: str, shape: tuple[int, ...], reduction: str, torch: Any, client: Client
) -> None:
    if name == "MultiLabelSoftMarginLoss" and len(shape) == 1:
        pytest.skip("has no classes")
    loss = getattr(torch.nn, name)(reduction=reduction, **LOSSES[name])
    assert verdict(loss, torch.randn(shape), torch.rand(shape), client=client) == "right"


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_losses_of_probabilities_rates_and_variances(reduction: str, torch: Any, client: Client) -> None:
    nn, positive = torch.nn, torch.rand(4, 3) + 0.2
    target = torch.tensor([[0.0, 1.0, 1.0]] * 4)
    assert verdict(nn.BCELoss(reduction=reduction), positive / 2, target, client=client) == "right"
    poisson = nn.PoissonNLLLoss(log_input=False, reduction=reduction)
    assert verdict(poisson, positive, torch.ones(4, 3), client=client) == "right"
    for variance in (positive, positive[:, :1], positive[:, 0]):
        gaussian = nn.GaussianNLLLoss(full=True, reduction=reduction)
        assert verdict(gaussian, torch.randn(4, 3), torch.randn(4, 3), variance, client=client) == "right"


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_probabilities_that_round_to_0_or_1(reduction: str, torch: Any, client: Client) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Sigmoid())
    loss = torch.nn.BCELoss(reduction=reduction)

    class Training(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.module = module

        def forward(self, x: Any, target: Any) -> Any:
            return loss(self.module(x), target)

    scores = torch.tensor([[200.0, -200.0, 0.3], [200.0, -200.0, -0.7]])
    x, target = torch.linalg.solve(module[0].weight, (scores - module[0].bias).T).T.detach(), torch.eye(3)[:2]
    probabilities = module(x)
    assert (probabilities == 1).any() and (probabilities == 0).any()
    from_torch = import_module("deltawire.importers.torch_fx").from_torch
    network, params, constants, outputs = from_torch(Training(), x, target, check=False)
    data = constants | {"x": x.numpy(), "target": target.numpy()}
    theirs = Training()(x, target)
    ours = client.forward(network, params, data, outputs)[outputs[0]]
    if reduction == "none":
        np.testing.assert_allclose(ours, theirs.detach(), rtol=1e-3)  # the scores are sums of great numbers
        return
    theirs.backward()
    _, gradients = client.value_and_grad(network, params, data, reduction=reduction)
    np.testing.assert_allclose(gradients["module_0.weight"], module[0].weight.grad, rtol=1e-4, atol=1e-4)
    assert np.isfinite(ours).all()


@pytest.mark.filterwarnings("ignore:reduction. .mean. divides")
@pytest.mark.parametrize("log_target", [False, True])
@pytest.mark.parametrize("reduction", [*REDUCTIONS, "batchmean"])
def test_divergences(reduction: str, log_target: bool, torch: Any, client: Client) -> None:
    logarithms, target = (torch.randn(4, 3).log_softmax(1) for _ in range(2))
    loss = torch.nn.KLDivLoss(reduction=reduction, log_target=log_target)
    given = target if log_target else target.exp()
    assert verdict(loss, logarithms, given, client=client) == "right"


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_losses_of_three_arrays(reduction: str, torch: Any, client: Client) -> None:
    three = [torch.randn(4, 5) for _ in range(3)]
    assert verdict(torch.nn.TripletMarginLoss(2.0, reduction=reduction), *three, client=client) == "right"
    ranking = torch.nn.MarginRankingLoss(0.5, reduction=reduction)
    numbers = [torch.randn(6), torch.randn(6), torch.tensor([1.0, -1] * 3)]
    assert verdict(ranking, *numbers, client=client) == "right"


def test_weights_of_places(torch: Any, client: Client) -> None:
    scores, target = torch.randn(4, 3), torch.rand(4, 3)
    weight = torch.tensor([0.5, 1, 2])
    for loss in (
        torch.nn.BCEWithLogitsLoss(weight=weight, pos_weight=torch.tensor([1.0, 3, 2])),
        torch.nn.BCEWithLogitsLoss(pos_weight=torch.tensor(2.0), reduction="sum"),
        torch.nn.MultiLabelSoftMarginLoss(weight=weight),
    ):
        assert verdict(loss, scores, target, client=client) == "right"


@pytest.mark.parametrize(
    "name, settings, message",
    [
        ("PoissonNLLLoss", {"full": True}, "full=True: no layer does this"),
        ("TripletMarginLoss", {"swap": True}, "swap=True: no layer does this"),
        ("TripletMarginLoss", {"p": 1}, "p=1.*2-norm"),
        ("SoftMarginLoss", {}, "soft_margin_loss.*no layer does this"),
        ("HingeEmbeddingLoss", {}, "hinge_embedding_loss.*no layer does this"),
        ("CosineEmbeddingLoss", {}, "no layer does this"),
    ],
)
def test_refused_by_name(
    name: str, settings: dict[str, Any], message: str, torch: Any, client: Client
) -> None:
    examples = [torch.rand(4, 3) for _ in range(3 if name.startswith(("Triplet", "Cosine")) else 2)]
    if name == "CosineEmbeddingLoss":
        examples[2] = torch.ones(4)
    with pytest.raises(Refused, match=message):
        verdict(getattr(torch.nn, name)(**settings), *examples, client=client)


def test_a_loss_within_a_module_is_the_loss_of_the_network(torch: Any, client: Client) -> None:
    class Model(torch.nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.scores = torch.nn.Linear(3, 2)

        def forward(self, x: Any, target: Any) -> Any:
            scores = self.scores(x)
            error = torch.nn.functional.mse_loss(scores, target)
            return {"loss": 0.5 * error - (scores * scores).mean() / 4 + 1, "scores": scores}

    module, examples = Model(), (torch.randn(4, 3), torch.randn(4, 2))
    assert verdict(module, *examples, client=client) == "right"
    from_torch = import_module("deltawire.importers.torch_fx").from_torch
    network, params, constants, outputs = from_torch(module, *examples, client=client)
    data = {"x": examples[0].numpy(), "target": examples[1].numpy()}
    loss, gradients = client.value_and_grad(network, params, constants | data)
    theirs = module(*examples)["loss"]
    theirs.backward()
    assert loss == pytest.approx(theirs.item(), rel=1e-6)
    assert gradients["scores.weight"] == pytest.approx(module.scores.weight.grad.numpy(), rel=1e-5)
    assert network.metadata[f"reduction/{outputs[0]}"] == "mean" and outputs[1] == "scores"


def test_one_node_may_be_an_output_and_a_mean(torch: Any, client: Client) -> None:
    class Model(torch.nn.Module):  # type: ignore[misc,name-defined]
        def forward(self, x: Any) -> Any:
            each = torch.relu(x)
            return each, each.mean(), each.sum(), x.mean()

    assert verdict(Model(), torch.randn(4), client=client) == "right"


@pytest.mark.parametrize(
    "combine, message",
    [
        (lambda x: x.mean() + x.sum(), "combines a mean and a sum over the batch"),
        (lambda x: x.sum() + 1, "the sum over the batch of 'x'.*no layer does this"),
        (lambda x: 1 / x.mean(), "no layer does this"),
        (lambda x: x.mean() * x, "."),
        (lambda x: torch_exp(x.mean()), "."),
        (lambda x: x.mean(0, keepdim=True), "works along the batch"),
    ],
)
def test_what_is_no_mean_of_examples_is_refused(
    combine: Any, message: str, torch: Any, client: Client
) -> None:
    class Model(torch.nn.Module):  # type: ignore[misc,name-defined]
        def forward(self, x: Any) -> Any:
            return combine(x)

    with pytest.raises(Refused, match=message):
        verdict(Model(), torch.randn(4), client=client)


def torch_exp(x: Any) -> Any:
    return import_module("torch").exp(x)
