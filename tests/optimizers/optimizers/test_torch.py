"""Every optimizer against torch.optim, 100 steps in float64 and in float32."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.training import drawn, trained

from deltawire_optimizers import load_optimizers

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

OPTIMIZERS = load_optimizers()
CONFIGS: list[tuple[str, str, dict[str, Any]]] = [
    ("sgd", "SGD", {}),
    ("sgd", "SGD", {"momentum": 0.9}),
    ("sgd", "SGD", {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("sgd", "SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("adam", "Adam", {}),
    ("adam", "Adam", {"betas": [0.8, 0.95], "eps": 1e-3, "weight_decay": 0.1, "amsgrad": True}),
    ("adam", "Adam", {"betas": [0.0, 0.0]}),
    ("adamw", "AdamW", {}),
    ("adamw", "AdamW", {"weight_decay": 0.2, "amsgrad": True}),
    ("rmsprop", "RMSprop", {}),
    ("rmsprop", "RMSprop", {"momentum": 0.9, "alpha": 0.8, "weight_decay": 0.1}),
    ("rmsprop", "RMSprop", {"centered": True}),
    ("rmsprop", "RMSprop", {"centered": True, "momentum": 0.5, "eps": 1e-2}),
    ("adagrad", "Adagrad", {}),
    (
        "adagrad",
        "Adagrad",
        {"lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.3, "eps": 1e-4},
    ),
]


def of_torch(kind: str, steps: int, dtype: Any, config: dict[str, Any]) -> dict[str, Any]:
    params = {name: torch.tensor(array, requires_grad=True) for name, array in drawn(dtype=dtype).items()}
    optimizer = getattr(torch.optim, kind)(params.values(), **config)
    for number in range(1, steps + 1):
        for name, gradient in drawn(number, dtype).items():
            params[name].grad = torch.tensor(gradient)
        optimizer.step()
    return {name: tensor.detach().numpy() for name, tensor in params.items()}


@pytest.mark.parametrize("learning_rate", [None, 0.05])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-4)])
@pytest.mark.parametrize(("kind", "theirs", "config"), CONFIGS)
def test_100_steps_end_where_those_of_torch_end(
    kind: str,
    theirs: str,
    config: dict[str, Any],
    dtype: Any,
    tolerance: float,
    learning_rate: float | None,
) -> None:
    rate = {} if learning_rate is None else {"learning_rate": learning_rate}
    ours = trained(OPTIMIZERS[kind](**config, **rate), 100, dtype)
    expected = of_torch(theirs, 100, dtype, config | ({"lr": learning_rate} if learning_rate else {}))
    for name, array in ours.items():
        assert array.dtype == dtype
        np.testing.assert_allclose(array, expected[name], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(
    ("kind", "theirs"),
    [("sgd", "SGD"), ("adam", "Adam"), ("adamw", "AdamW"), ("rmsprop", "RMSprop"), ("adagrad", "Adagrad")],
)
def test_the_defaults_are_those_of_torch(kind: str, theirs: str) -> None:
    defaults = getattr(torch.optim, theirs)([torch.zeros(1)]).defaults
    for name, value in vars(OPTIMIZERS[kind]()).items():
        expected = defaults["lr" if name == "learning_rate" else name]
        assert value == (list(expected) if isinstance(expected, tuple) else expected), name
