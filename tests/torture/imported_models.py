"""Networks as large as those that people train: imported, made models by streaming, and stepped with Adam.

    PYTHONPATH=tests python -m torture.imported_models [--short] [--networks bert,resnet101]

GPT-2 small and BERT-base of transformers, ResNet-101 and ResNet-152 of torchvision, with random weights, at a
service as shipped. Both packages must be installed. The loss of a step, the norm of all its gradients and
some of these are torch's in float64, or no further from them than twice what torch is in float32. The memory
is that of the one worker that is no mapped file. With --short, fewer blocks and words, and images of 64².
"""

from __future__ import annotations

import copy
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
from support.service import children, running_service
from support.torchvision_operators import define_operators
from torture.anonymous_memory import peak_of
from torture.load import arguments, report

from deltawire import Client
from deltawire.exporters.torch import to_state_dict
from deltawire.importers.torch_fx import from_torch
from deltawire.optim import adam

MIB = 2**20
EXAMPLES, LENGTH, RATE = 2, 16, 1e-4

Numbers = dict[str, Any]

TOLERANCE = 1e-5
"""A relative difference that float32 may make anyway."""


class Case(NamedTuple):
    """A module in eval mode, its examples, and the classes that it should find in them."""

    module: Any
    examples: torch.Tensor
    classes: torch.Tensor
    """(batch), or one for each word, (batch, words): the loss is their sum."""
    watched: tuple[str, ...]
    """The parameters whose gradients are compared, by their names in the module."""


class Step(NamedTuple):
    """A step: its loss, the norm of all gradients, and the watched gradients, in float64."""

    loss: float
    norm: float
    watched: dict[str, torch.Tensor]


def scores(module: Any, examples: torch.Tensor) -> torch.Tensor:
    """Return the scores of a module, the classes along axis 1."""
    found = module(examples)
    return found if isinstance(found, torch.Tensor) else found.logits.transpose(1, 2)


def gpt2(short: bool) -> Case:
    """GPT-2 small, which finds the next word."""
    from transformers import GPT2Config, GPT2LMHeadModel

    sizes = {"n_layer": 2, "vocab_size": 1000, "bos_token_id": None, "eos_token_id": None} if short else {}
    config = GPT2Config(use_cache=False, **sizes)
    words = torch.randint(0, config.vocab_size, (EXAMPLES, LENGTH + 1))
    watched = "h.0.attn.c_attn.weight", "h.1.mlp.c_proj.bias", "wte.weight"
    named = tuple(f"transformer.{name}" for name in watched)
    return Case(GPT2LMHeadModel(config).eval(), words[:, :-1], words[:, 1:], named)


def bert(short: bool) -> Case:
    """BERT-base, which finds the words."""
    from transformers import BertConfig, BertForMaskedLM

    config = BertConfig(**({"num_hidden_layers": 2, "vocab_size": 1000} if short else {}))
    words = torch.randint(0, config.vocab_size, (EXAMPLES, LENGTH))
    layers = "encoder.layer.0.attention.self.query.weight", "encoder.layer.1.output.dense.bias"
    named = tuple(f"bert.{name}" for name in (*layers, "embeddings.word_embeddings.weight"))
    return Case(BertForMaskedLM(config).eval(), words, words, named)


def resnet(name: str, short: bool) -> Case:
    """A ResNet, which finds one of 1,000 classes, with the statistics of its examples in its norms."""
    from torchvision import models

    side = 64 if short else 224
    images = torch.randn(EXAMPLES, 3, side, side)
    module = getattr(models, name)()
    with torch.no_grad():
        for _ in range(20):
            module.train()(images)
    watched = "conv1.weight", "layer3.1.bn2.bias", "fc.weight"
    return Case(module.eval(), images, torch.randint(0, 1000, (EXAMPLES,)), watched)


CASES: dict[str, Callable[[bool], Case]] = {
    "gpt2": gpt2,
    "bert": bert,
    "resnet101": lambda short: resnet("resnet101", short),
    "resnet152": lambda short: resnet("resnet152", short),
}


def step_in_torch(case: Case, dtype: torch.dtype) -> Step:
    """Take one step of Adam in torch with a copy of a module, in a dtype."""
    module = copy.deepcopy(case.module).to(dtype)
    examples = case.examples.to(dtype) if case.examples.is_floating_point() else case.examples
    losses = torch.nn.functional.cross_entropy(scores(module, examples), case.classes, reduction="none")
    loss = losses.reshape(EXAMPLES, -1).sum(1).mean()
    loss.backward()
    gradients = [parameter.grad for parameter in module.parameters() if parameter.grad is not None]
    norm = sum(gradient.double().square().sum().item() for gradient in gradients) ** 0.5
    watched = {name: module.get_parameter(name).grad.double() for name in case.watched}
    return Step(loss.item(), norm, watched)


def differences(step: Step, exact: Step) -> dict[str, float]:
    """Return how far the numbers of a step are from exact ones, relative to these."""
    found = {"loss": abs(step.loss / exact.loss - 1), "gradient norm": abs(step.norm / exact.norm - 1)}
    for name, gradient in exact.watched.items():
        found[name] = float((step.watched[name] - gradient).norm() / gradient.norm())
    return found


def try_case(name: str, case: Case) -> tuple[Numbers, dict[str, bool]]:
    """Import a module, make it a model of a service, and step it; return the figures and what they reach."""
    seconds, grown = dict[str, float](), dict[str, float]()

    @contextmanager
    def measured(what: str, pid: int) -> Iterator[None]:
        began = time.monotonic()
        with peak_of(pid) as peak:
            yield
        seconds[what], grown[what] = round(time.monotonic() - began, 2), round(peak.growth / MIB, 1)

    exact, theirs = (step_in_torch(case, dtype) for dtype in (torch.float64, torch.float32))
    with measured("import", os.getpid()):
        network, params, constants, outputs = from_torch(case.module, case.examples, check=False)
    (example,) = network.spec()["inputs"].keys() - constants.keys() - params.keys()
    classes = network.input("classes", shape=tuple(case.classes.shape[1:]), dtype="int64")
    network.loss = network.layer("softmax_nll", network[outputs[0]], classes)
    data = {example: case.examples.numpy(), "classes": case.classes.numpy()}
    with (
        tempfile.TemporaryDirectory() as folder,
        running_service("-w", "1", data_dir=folder, log_level="error") as service,
        Client(service) as client,
    ):
        (pid,) = children(service.pid)
        with measured("create", pid):
            model = client.create_model(
                network, name=name, optimizer=adam(RATE), params=params, constants=constants
            )
        parts = model.plan(batch=EXAMPLES)
        # A step has no gradients in its answer.
        plan = parts["given_bytes"] - parts["stored_bytes"] + parts["answered_bytes"] + parts["work_bytes"]
        with measured("step", pid):
            step = model.step(data)
        foreign = {own: network.metadata.get(f"params/{own}", own) for own in params}
        wrt = {"params": [own for own, name in foreign.items() if name in case.watched]}
        ours = to_state_dict(network, model.at(0).gradients(data, wrt=wrt).params)
    watched = {each: ours[each].double() for each in case.watched}
    off = differences(Step(step.loss, step.gradient_norm, watched), exact)
    theirs_off = differences(theirs, exact)
    figures = {
        "parameters": sum(array.size for array in params.values()),
        "nodes": len(network.spec()["nodes"]),
        "inputs": len(network.spec()["inputs"]),
        "plan_mib": round(plan / MIB),
        "grown_mib": grown,
        "seconds": seconds,
        "off": off,
        "torch_off": theirs_off,
    }
    reached = {what: found <= max(TOLERANCE, 2 * theirs_off[what]) for what, found in off.items()}
    reached["memory of the step"] = grown["step"] * MIB <= 1.2 * plan
    return figures, {f"{name}: {what}": right for what, right in reached.items()}


def main() -> None:
    given = arguments("imported_models", networks=f"those that are tried, of {','.join(CASES)}")
    define_operators()
    figures, reached = dict[str, Numbers](), dict[str, bool]()
    for name in given.networks.split(",") if given.networks else CASES:
        torch.manual_seed(0)
        figures[name], right = try_case(name, CASES[name](given.short))
        reached |= right
    report(figures, reached)


if __name__ == "__main__":
    main()
