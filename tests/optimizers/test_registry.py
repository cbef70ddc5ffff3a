"""Optimizers are found through entry points; one that cannot be used is refused, naming its distribution."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest
from marshmallow import Schema

from deltawire_optimizers import Optimizer, RegistryError, load_optimizers
from deltawire_optimizers.optimizers.adam import Adam


class NoRate(Optimizer):
    class Config(Schema):
        pass


class NoSchema(Optimizer):
    Config = dict  # type: ignore[assignment]


class NegativeScratch(Optimizer):
    scratch = -1


class VagueElementwise(Optimizer):
    elementwise = 1  # type: ignore[assignment]


def test_built_in_optimizers_are_found_like_any_others() -> None:
    optimizers = load_optimizers()
    assert optimizers["adam"] is Adam and optimizers.distribution("adam").startswith("deltawire ")


@pytest.mark.parametrize(
    ("plugin", "message"),
    [
        (dict, "is not a subclass of deltawire_optimizers.Optimizer"),
        (NoRate, "has a Config without learning_rate"),
        (NoSchema, "Config that is not a marshmallow Schema"),
        (NegativeScratch, "scratch"),
        (VagueElementwise, "elementwise"),
    ],
)
def test_what_is_no_optimizer_is_named(plugin: type, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deltawire_optimizers.optimizer.Mine", plugin, raising=False)
    point = EntryPoint("mine", "deltawire_optimizers.optimizer:Mine", "deltawire.optimizers")
    with pytest.raises(RegistryError, match=message) as caught:
        load_optimizers([point])
    assert "optimizer kind 'mine'" in str(caught.value)
