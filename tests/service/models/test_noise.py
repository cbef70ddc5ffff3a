"""Noise in steps: drawn from a seed that the ledger keeps, so that every version can be computed again."""

from __future__ import annotations

from math import inf

import numpy as np
from support.engine import compiled
from support.models import NOISY, OWNER, batch, create, id_of, numbers_of, same, step

from deltawire_service.models.computation import AnswerArrays
from deltawire_service.models.model_store import ModelStore
from deltawire_service.models.steps import StepRequest, recompute_arrays, take_step
from deltawire_service.models.versions import read_ledger


def seeds(store: ModelStore, name: str = "model") -> list[int | None]:
    """The seeds of a model's steps."""
    ledger = read_ledger(store, OWNER, name, 0, 99)
    return [entry.get("noise_seed") for entry in ledger if entry["kind"] == "step"]


def test_a_step_draws_noise_from_its_seed_or_its_number(store: ModelStore) -> None:
    create(store, spec=NOISY)
    network, params = compiled(NOISY), numbers_of(store).params
    for seed, drawn in ((None, 1), (7, 7), (0, 0)):
        before = numbers_of(store).params
        data = {name.removeprefix("data/"): array for name, array in batch(3).items()}
        expected = network.with_noise(drawn).gradients(before, data).loss
        assert step(store, 3, noise_seed=seed)["loss"] == expected
    assert seeds(store) == [1, 7, 0]
    assert any((numbers_of(store).params[name] != params[name]).any() for name in params)


def test_the_same_seeds_give_the_same_bits_and_others_do_not(store: ModelStore) -> None:
    for name in ("one", "two", "other"):
        create(store, name, spec=NOISY)
        for seed in range(4):
            step(store, seed, name, noise_seed=seed + 10 * (name == "other"))
    assert same(numbers_of(store, "one"), numbers_of(store, "two"))
    assert not same(numbers_of(store, "one"), numbers_of(store, "other"))


def test_every_version_is_computed_again_with_its_noise(store: ModelStore) -> None:
    create(store, spec=NOISY)
    ids = [id_of(store)]
    for seed in range(5):
        step(store, seed, noise_seed=None if seed % 2 else 2**64 - 1 - seed)
        ids.append(id_of(store))
    assert len(set(ids)) == 6
    assert [id_of(store, version=version) for version in range(6)] == ids


def test_a_model_without_noise_keeps_no_seed(store: ModelStore) -> None:
    for name, seed in (("one", None), ("two", 5)):
        create(store, name)
        step(store, 0, name, noise_seed=seed)
        assert seeds(store, name) == [None]
    assert same(numbers_of(store, "one"), numbers_of(store, "two"))


def test_the_arrays_of_a_replayed_answer_have_the_noise_of_the_step(store: ModelStore) -> None:
    create(store, spec=NOISY)
    for noise_seed in (None, 4):
        request = StepRequest(batch(1), noise_seed=noise_seed, wanted=AnswerArrays(values=["kept"]))
        answer = take_step(store, OWNER, "model", request, inf)
        again = recompute_arrays(store, OWNER, "model", request, answer, inf)
        assert again["values"]["kept"].tobytes() == answer["values"]["kept"].tobytes()
        assert 0.2 < (answer["values"]["kept"] == 0).mean() < 0.8


def test_computing_with_a_model_draws_nothing_without_a_seed(store: ModelStore) -> None:
    create(store, spec=NOISY)
    network, params = compiled(NOISY), numbers_of(store).params
    x = batch(0)["data/x"]
    values = network.forward(params, {"x": x}, ["kept", "active"])
    assert (values["kept"] == values["active"]).all()
    drawn = network.with_noise(1).forward(params, {"x": x}, ["kept"])["kept"]
    assert set(np.unique((drawn / values["active"]).round(12))) == {0.0, 2.0}
