"""Each function has the config of its optimizer as arguments, with the same defaults."""

from __future__ import annotations

import inspect
import re
from collections import defaultdict
from typing import Any

import pytest

from deltawire import Refused
from deltawire.optim import Optimizer, factories, schedules
from deltawire.optim.configs import installed
from deltawire_optimizers.registry import OPTIMIZERS

BUILT_IN = [point.name for point in OPTIMIZERS.installed("deltawire")]


@pytest.mark.parametrize("kind", BUILT_IN)
def test_the_arguments_are_the_config(kind: str) -> None:
    arguments = inspect.signature(getattr(factories, kind)).parameters
    own = {
        name: list(argument.default) if isinstance(argument.default, tuple) else argument.default
        for name, argument in arguments.items()
        if argument.kind is argument.POSITIONAL_OR_KEYWORD
    }
    assert own == installed()[kind].Config().load({})
    common = inspect.signature(Optimizer).parameters
    keywords = {name for name, argument in arguments.items() if argument.kind is argument.KEYWORD_ONLY}
    assert keywords == {name for name, a in common.items() if a.kind is a.KEYWORD_ONLY}


@pytest.mark.parametrize("kind", BUILT_IN)
def test_every_argument_reaches_the_rule(kind: str) -> None:
    config = installed()[kind].Config().load({})
    other = {name: _other(name, value) for name, value in config.items()} | (
        {"dampening": 0.0} if "dampening" in config else {}
    )
    made = getattr(factories, kind)(**other)
    assert made.kind == kind and made.learning_rate == 0.5
    assert made.state_dict() == Optimizer(kind, **other).state_dict()
    assert vars(made._rule) == vars(Optimizer(kind, **other)._rule) != vars(Optimizer(kind)._rule)


def test_arguments_are_described_alike_where_their_configs_are() -> None:
    texts = defaultdict[str, set[tuple[str, str]]](set)
    for kind in BUILT_IN:
        arguments = dict(re.findall(r"^    (\w+): (.+)$", inspect.getdoc(getattr(factories, kind)), re.M))
        for name, field in installed()[kind].Config().fields.items():
            texts[name].add((field.metadata["description"], arguments[name]))
    for pairs in texts.values():
        assert len(pairs) == len({config for config, _ in pairs}) == len({text for _, text in pairs})


def _other(name: str, value: object) -> object:
    return True if isinstance(value, bool) else [0.5, 0.25] if isinstance(value, list) else 0.5


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: factories.adam(lr=0.1), "/lr: unknown field 'lr'; here it is 'learning_rate'"),
        (lambda: factories.adam(beta_1=0.9), "here it is 'betas'"),
        (lambda: Optimizer("sgd", clipnorm=1.0), "it is clip_norm"),
        (lambda: factories.adam(model=1), "step takes the parameters"),
        (lambda: factories.lion(wings=2), "unknown field 'wings'; known: learning_rate, betas"),
        (lambda: factories.adam({"w": 1}), "/learning_rate: expected a number first"),
        (lambda: schedules.cosine(decay_steps=9), "here it is 'T_max'"),
        (lambda: schedules.linear(warmup_steps=9), "here it is 'total_iters'"),
        (lambda: Optimizer("adam", lr=0.1), "here it is 'learning_rate'"),
    ],
)
def test_arguments_of_other_libraries_lead_to_ours(call: Any, message: str) -> None:
    with pytest.raises(Refused) as refused:
        call()
    assert message in str(refused.value)
