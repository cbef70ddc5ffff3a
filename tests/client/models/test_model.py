"""A model is trained, read, brought back and forked; each change is made once."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.classifier import batch, classifier

from deltawire import Client, Model, Network, Refused, optim
from deltawire.models.results import ModelChange
from deltawire.wire import Array

DATA = batch(0)


def bits(arrays: dict[str, Array]) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in arrays.items()}


def test_a_step_is_that_of_the_optimizer_here(client: Client, model: Model) -> None:
    params, optimizer = model.params(), optim.adam(0.01)
    for seed in range(5):
        loss, gradients = client.value_and_grad(classifier(), params, batch(seed))
        result = model.step(batch(seed))
        optimizer.step(params, gradients)
        assert (result.loss, result.version, result.step) == (loss, seed + 1, seed + 1)
        assert bits(model.params()) == bits(params)
    assert bits(model.optimizer_state()["state"]) == bits(optimizer.state)


def test_a_training_goes_on_here_from_the_state_of_the_model(client: Client, model: Model) -> None:
    for seed in range(3):
        model.step(batch(seed))
    params, optimizer = model.params(), optim.adam(0.01)
    optimizer.load_state_dict(model.optimizer_state())
    _, gradients = client.value_and_grad(classifier(), params, batch(3))
    optimizer.step(params, gradients)
    model.step(batch(3))
    assert bits(model.params()) == bits(params) and optimizer.steps == 4


@pytest.mark.parametrize("media_type", ["application/vnd.safetensors", "application/json"])
def test_a_step_returns_what_is_asked_for(tmp_path: Path, media_type: str) -> None:
    client = Client(data_dir=tmp_path, media_type=media_type)
    model = client.create_model(classifier(), name="digits", optimizer=optim.sgd(0.1), dtype="float32")
    data = batch(0, dtype=np.float32)
    options: dict[str, Any] = {"values": ["scores"], "deltas": ["active"], "losses": True, "reduction": "sum"}
    expected = model.gradients(data, wrt={"params": ["hidden.*"], "data": ["x"]}, **options)
    result = model.step(data, wrt={"params": ["hidden.*"], "data": ["x"]}, **options)
    assert result.loss == expected.loss and result.losses is not None and expected.losses is not None
    assert bits(result.gradients) == bits(expected.params | expected.data)
    assert bits(result.values) == bits(expected.values) and bits(result.deltas) == bits(expected.deltas)
    assert result.losses.tobytes() == expected.losses.tobytes()
    assert result.values["scores"].flags.writeable and result.values["scores"].dtype == np.float32


def test_a_step_by_gradients(model: Model) -> None:
    fork = model.fork("by_gradients")
    by_data = model.step(DATA)
    by_gradients = fork.step(gradients=fork.gradients(DATA).params)
    assert by_gradients.loss is None and by_gradients.gradient_norm == by_data.gradient_norm
    assert bits(fork.params()) == bits(model.params())


def test_a_step_takes_data_or_gradients(model: Model) -> None:
    for wrong in ({}, {"data": DATA, "gradients": {}}):
        with pytest.raises(Refused, match=r"a step takes either data or gradients=…"):
            model.step(**wrong)
    assert model.version == 0


def test_a_step_need_not_be_durable(model: Model) -> None:
    assert not model.step(DATA, durable=False).durable and model.version == 1
    assert model.step(DATA).durable


def test_hyperparameters_of_one_step_and_of_all_that_follow(model: Model) -> None:
    rates = [
        model.step(DATA, learning_rate=0.5).learning_rate,
        model.step(DATA, optimizer={"config": {"learning_rate": 0.25}}).learning_rate,
        model.step(DATA).learning_rate,
    ]
    change = model.change_optimizer(learning_rate=0.125)
    rates.append(model.step(DATA).learning_rate)
    schedule = optim.schedules.step(step_size=2, gamma=0.5)
    model.change_optimizer(optim.adam(1.0, schedule=schedule), if_version=5)
    rates.append(model.step(DATA).learning_rate)
    assert rates == [0.5, 0.25, 0.01, 0.125, 0.25]  # step 5 is in the third stage of the schedule
    assert (change.version, change.step) == (4, 3)
    assert model.describe()["optimizer"]["schedule"]["kind"] == "step"
    with pytest.raises(Refused, match="expected what changes, as in learning_rate=1e-4"):
        model.change_optimizer()


CHANGES: dict[str, Callable[..., Any]] = {
    "step": lambda model, **options: model.step(DATA, **options),
    "change_optimizer": lambda model, **options: model.change_optimizer(learning_rate=0.5, **options),
    "restore": lambda model, **options: model.restore(0, **options),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_with_the_key_of_another_call_is_made_once(change: str, model: Model) -> None:
    model.step(DATA)
    first, again = (CHANGES[change](model, key="mine") for _ in range(2))
    assert isinstance(first, ModelChange) and not first.replayed and again.replayed
    assert first.version == again.version == model.version == 2
    assert CHANGES[change](model).version == 3


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_refused_from_another_version(change: str, model: Model) -> None:
    model.step(DATA)
    with pytest.raises(Refused) as refused:
        CHANGES[change](model, if_version=0)
    assert (refused.value.code, refused.value.status) == ("version_changed", 412)
    assert CHANGES[change](model, if_version=1).version == 2


def test_a_model_comes_back_to_an_earlier_version(model: Model) -> None:
    for seed in range(4):
        model.step(batch(seed))
    before = model.checkpoint(2)
    change = model.restore(2)
    assert (change.version, change.step, change.params_id) == (5, 2, before.params_id)
    after = model.checkpoint()
    assert (after.version, after.step, after.params_id) == (5, 2, before.params_id)
    assert bits(after.params) == bits(before.params)


def test_a_fork_goes_its_own_way(client: Client, model: Model) -> None:
    for seed in range(3):
        model.step(batch(seed))
    fork = model.fork("fork", version=2, key="once")
    model.fork("fork", version=2, key="once")  # made already
    assert isinstance(fork, Model) and bits(fork.params()) == bits(model.params(2))
    fork.step(batch(2))
    assert bits(fork.params()) == bits(model.params())  # the state of the optimizer came with it
    with pytest.raises(Refused) as refused:
        model.fork("fork")
    assert refused.value.code == "model_name_taken"
    assert [each["name"] for each in client.models()] == ["digits", "fork"]


def test_the_ledger_is_read_in_pages(monkeypatch: pytest.MonkeyPatch, model: Model) -> None:
    for seed in range(3):
        model.step(batch(seed))
    model.change_optimizer(learning_rate=0.5)
    whole = list(model.ledger())
    assert [entry["kind"] for entry in whole] == ["created", "step", "step", "step", "hyperparameters"]
    asked = []
    get = model.client.connection.get

    def small_pages(path: str, read: Any) -> Any:
        asked.append(path)
        return get(f"{path}&limit=2", read)

    monkeypatch.setattr(model.client.connection, "get", small_pages)
    assert list(model.ledger()) == whole and len(asked) == 3
    assert [entry["version"] for entry in model.ledger(after=2)] == [3, 4]


def test_a_version_is_saved_as_a_network_with_parameters(tmp_path: Path, model: Model) -> None:
    model.step(DATA)
    model.save(tmp_path / "newest.safetensors")
    model.save(tmp_path / "first.safetensors", version=0)
    net, params = Network.load(tmp_path / "newest.safetensors")
    assert net.spec() == model.spec and bits(params) == bits(model.params())
    assert bits(Network.load(tmp_path / "first.safetensors")[1]) == bits(model.params(0))


def test_a_deleted_model_is_not_found(client: Client, model: Model) -> None:
    model.delete(key="once")
    model.delete(key="once")  # done already
    for call in (model.delete, model.describe, lambda: client.model("digits"), lambda: model.step(DATA)):
        with pytest.raises(Refused) as refused:
            call()
        assert (refused.value.code, refused.value.status) == ("model_not_found", 404)


def test_an_unknown_version_is_refused(model: Model) -> None:
    for call in (model.params, model.optimizer_state, model.restore, lambda v: model.at(v).gradients(DATA)):
        with pytest.raises(Refused) as refused:
            call(7)
        assert refused.value.code == "version_not_found"


def test_a_model_is_pickled_as_its_client_is(model: Model) -> None:
    model.step(DATA)
    again = pickle.loads(pickle.dumps(model))
    assert again.version == 1 and again.name == "digits"
    assert again.step(DATA).version == 2 and model.version == 2  # both have the folder
