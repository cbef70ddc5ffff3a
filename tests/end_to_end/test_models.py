"""Models in a real gunicorn with two workers: trained as torch trains, also where answers are lost."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.classifier import batch, classifier, train_in_torch
from support.lossy import lossy_proxy
from support.service import Service, running_service

from deltawire import Client, Retries, optim

FAST = Retries(attempts=30, first=0.005, longest=0.05)
STEPS = 100


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_service("-w", "2", data_dir=str(tmp_path_factory.mktemp("data"))) as url:
        yield url


@pytest.mark.torch
@pytest.mark.parametrize("media_type", ["application/vnd.safetensors", "application/json"])
def test_a_hundred_steps_of_adam_are_those_of_torch(url: Service, media_type: str) -> None:
    import torch

    client = Client(url, media_type=media_type)
    name = f"adam_{media_type[-4:]}"
    model = client.create_model(classifier(), name=name, optimizer=optim.adam(0.01), seed=1)
    losses, params = train_in_torch(
        model.params(), lambda parameters: torch.optim.Adam(parameters, lr=0.01), STEPS
    )
    results = [model.step(batch(seed)) for seed in range(STEPS)]
    assert [result.loss for result in results] == pytest.approx(losses, abs=1e-10)
    assert [result.version for result in results] == list(range(1, STEPS + 1))
    for name, array in model.params().items():
        np.testing.assert_allclose(array, params[name], rtol=0, atol=1e-10)


def test_nothing_is_lost_and_nothing_doubled_when_answers_are_lost(url: Service) -> None:
    # A model whose changes came without a loss ends with the same bits.
    direct = Client(url).create_model(classifier(), name="direct", optimizer=optim.adam(0.01))
    with lossy_proxy(url, 0.3) as proxy:
        client = Client(proxy.url, retries=FAST)
        model = client.create_model(classifier(), name="lossy", optimizer=optim.adam(0.01))
        results = [model.step(batch(seed)) for seed in range(STEPS)]
        model.restore(10)
        model.change_optimizer(learning_rate=0.1)
        fork = model.fork("lossy_fork")
        fork.step(batch(0))
        versions = [entry["version"] for entry in model.ledger()]
        fork.delete()
        names = {each["name"] for each in client.models()}
    assert proxy.lost > STEPS / 10
    assert [result.version for result in results] == list(range(1, STEPS + 1))
    assert any(result.replayed for result in results)
    assert versions == list(range(STEPS + 3)) and "lossy_fork" not in names
    for seed in range(STEPS):
        direct.step(batch(seed))
    assert direct.checkpoint().params_id == Client(url).model("lossy").checkpoint(STEPS).params_id


def test_clients_that_step_one_model_at_once_lose_nothing(url: Service) -> None:
    Client(url).create_model(classifier(), name="shared", optimizer=optim.sgd(0.01))
    with lossy_proxy(url, 0.3) as proxy:

        def train(first: int) -> list[int]:
            model = Client(proxy.url, retries=FAST).model("shared")
            return [model.step(batch(seed)).version for seed in range(first, first + 20)]

        with ThreadPoolExecutor(4) as pool:
            versions: Any = [version for part in pool.map(train, range(0, 80, 20)) for version in part]
    assert sorted(versions) == list(range(1, 81))
    assert Client(url).model("shared").version == 80


def test_a_model_is_there_for_another_service_on_the_folder(tmp_path: Path) -> None:
    with running_service("-w", "1", data_dir=str(tmp_path)) as url:
        model = Client(url).create_model(classifier(), name="digits", optimizer=optim.adam(0.01))
        for seed in range(3):
            model.step(batch(seed))
        before = model.checkpoint()
    embedded = Client(data_dir=tmp_path).model("digits")
    assert embedded.checkpoint().params_id == before.params_id
    assert embedded.step(batch(3)).version == 4
