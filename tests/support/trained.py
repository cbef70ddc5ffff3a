"""Models that learn at a running service, by the SDK."""

from __future__ import annotations

from typing import Any

from support.models import SPEC, batch

from deltawire import Client, Model, optim


def take_steps(model: Model, steps: int) -> None:
    """Let a model of `SPEC` take steps on other examples each."""
    start = model.version
    for seed in range(start, start + steps):
        arrays = batch(seed, dtype=model.dtype)
        model.step({name.removeprefix("data/"): array for name, array in arrays.items()})


def train(url: str, name: str, steps: int = 0, api_key: str | None = None, **options: Any) -> Model:
    """Make a model of `SPEC` at a service, and let it take steps.

    Args:
        url: the address of the service.
        name: the name of the model.
        steps: how many steps it takes.
        api_key: the key of its owner.
        **options: further options of `create_model`.
    """
    model = Client(url, api_key=api_key).create_model(
        SPEC, name=name, optimizer=optim.adam(0.01), seed=0, **options
    )
    take_steps(model, steps)
    return model
