"""A run trains as torch's own loop does over the same rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.classifier import in_torch
from support.models import OWNER, numbers_of
from support.runs import ROWS, examples, start, train

from deltawire_service.datasets.row_order import EpochRows
from deltawire_service.models.model_store import ModelStore
from deltawire_service.training.run_descriptions import read_metrics

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("clip", [None, 0.5])
def test_ten_epochs_are_those_of_torch(store: ModelStore, clip: float | None) -> None:
    import torch

    options: dict[str, Any] = {} if clip is None else {"clip": {"norm": clip}}
    schedule = {"kind": "step", "step_size": 20, "gamma": 0.5}
    module = in_torch(dict(numbers_of(store).params))
    run = start(store, epochs=10, seed=3, schedule=schedule, **options)
    train(store)

    optimizer = torch.optim.Adam(module.parameters(), lr=0.01)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 20, 0.5)
    arrays, losses = examples(), list[float]()
    for epoch in range(1, 11):
        order = EpochRows(3, epoch, 0, ROWS, ROWS).indices()
        for begin in range(0, ROWS, 8):
            rows = order[begin : begin + 8]
            optimizer.zero_grad()
            scores = module(torch.tensor(arrays["x"][rows]))
            loss = torch.nn.functional.cross_entropy(scores, torch.tensor(arrays["y"][rows]))
            loss.backward()
            if clip is not None:
                torch.nn.utils.clip_grad_norm_(module.parameters(), clip)
            optimizer.step()
            scheduler.step()
            losses.append(loss.item())

    taken = read_metrics(store, OWNER, run, -1, 999)["steps"]
    np.testing.assert_allclose([each["loss"] for each in taken], losses, rtol=0, atol=1e-9)
    params = numbers_of(store).params
    for name, tensor in module.named_parameters():
        np.testing.assert_allclose(params[name], tensor.detach().numpy(), rtol=0, atol=1e-6 if clip else 1e-9)
