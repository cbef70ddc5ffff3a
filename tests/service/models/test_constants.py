"""The constants of a model: kept beside its parameters in every version, never learned, never sent again."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
import pytest
from support.engine import compiled
from support.models import ADAM, OWNER, SPEC, batch, create, id_of, numbers_of, same, step

from deltawire.errors import Refused
from deltawire.wire import Array
from deltawire_service.models.alterations import restore
from deltawire_service.models.creations import fork
from deltawire_service.models.model_store import ModelStore
from deltawire_service.store.tables import models

NORMED: dict[str, Any] = {
    "inputs": {
        "x": {"shape": [4]},
        "y": {"shape": [], "dtype": "int64"},
        "place": {"shape": [], "dtype": "int64", "shared": True, "constant": True},
        "mean": {"shape": [4], "shared": True, "constant": True},
        "var": {"shape": [4], "shared": True, "constant": True},
    },
    "nodes": [
        {"name": "normed", "kind": "batch_norm", "inputs": ["x", "mean", "var"]},
        {"name": "placed", "kind": "embedding", "inputs": ["place"], "config": {"rows": 5, "width": 4}},
        {"name": "sum", "kind": "add", "inputs": ["normed", "placed"]},
        {"name": "scores", "kind": "linear", "inputs": ["sum"], "config": {"units": 3}},
        {"name": "loss", "kind": "softmax_nll", "inputs": ["scores", "y"]},
    ],
}
CONSTANTS = {
    "place": np.array(2),
    "mean": np.array([0.5, -1.0, 0.0, 2.0]),
    "var": np.array([0.25, 1.0, 4.0, 0.5]),
}


def batch_with(more: dict[str, Array], seed: int) -> dict[str, Array]:
    return batch(seed) | more


@pytest.fixture
def kept(store: ModelStore) -> ModelStore:
    """A store with a model that keeps constants."""
    create(store, spec=NORMED, constants=CONSTANTS)
    return store


def test_a_step_is_that_with_the_constants_sent(kept: ModelStore) -> None:
    plain = {
        name: {k: v for k, v in entry.items() if k != "constant"} for name, entry in NORMED["inputs"].items()
    }
    create(kept, "plain", spec={**NORMED, "inputs": plain})
    sent = {f"data/{name}": array for name, array in CONSTANTS.items()}
    for number in range(3):
        ours, theirs = step(kept, number), step(kept, number, "plain", arrays=batch_with(sent, number))
        assert ours["loss"] == theirs["loss"]
    assert id_of(kept) == id_of(kept, "plain")
    assert numbers_of(kept).state.keys() == numbers_of(kept, "plain").state.keys()


def test_every_version_has_them(kept: ModelStore) -> None:
    for number in range(3):
        step(kept, number)
    for version in (None, 0, 2):
        constants = numbers_of(kept, version=version).constants
        assert {name: array.dtype for name, array in constants.items()} == {
            "place": np.int64, "mean": np.float64, "var": np.float64,
        }  # fmt: skip
        assert all(np.array_equal(array, CONSTANTS[name]) for name, array in constants.items())
    fork(kept, OWNER, "model", "other", inf, version=1)
    assert same(numbers_of(kept, "other"), numbers_of(kept, version=1))
    restore(kept, OWNER, "model", 1, inf)
    assert same(numbers_of(kept), numbers_of(kept, version=1))
    step(kept, 5), step(kept, 5, "other")
    assert same(numbers_of(kept), numbers_of(kept, "other"))


def test_they_are_there_again_when_a_slot_is_lost(kept: ModelStore) -> None:
    step(kept, 0)
    before = numbers_of(kept)
    row = kept.find(OWNER, "model")
    for file in kept.folder_of(row.id).slots.iterdir():
        file.write_bytes(bytes(file.stat().st_size))
    assert same(numbers_of(kept), before)


def test_data_of_a_step_takes_their_place_for_this_step(kept: ModelStore) -> None:
    other = {"data/mean": np.zeros(4)}
    fork(kept, OWNER, "model", "twin", inf)
    losses = [step(kept, 0, arrays=batch_with(other, 0))["loss"], step(kept, 0, "twin")["loss"]]
    assert losses[0] != losses[1]
    assert np.array_equal(numbers_of(kept).constants["mean"], CONSTANTS["mean"])
    step(kept, 1)
    # Version 1 is computed again with what its step brought.
    create(kept, "plain", spec=NORMED, constants=CONSTANTS | {"mean": np.zeros(4)})
    step(kept, 0, "plain")
    assert id_of(kept, version=1) == id_of(kept, "plain")


@pytest.mark.parametrize(
    "constants, code, pointer",
    [
        ({"mean": None}, "missing_data", "/data/mean"),
        ({"x": np.zeros((1, 4))}, "unknown_data", "/data/x"),
        ({"z": np.zeros(4)}, "unknown_data", "/data/z"),
        ({"mean": np.zeros(4, "float32")}, "dtype_mismatch", "/data/mean"),
        ({"mean": np.zeros(3)}, "shape_mismatch", "/data/mean"),
        ({"place": np.array(5)}, "label_out_of_range", "/data/place"),
        ({"place": np.array(2.0)}, "dtype_mismatch", "/data/place"),
        ({"var": np.array([1.0, 1.0, -1.0, 1.0])}, "label_out_of_range", "/data/var/2"),
    ],
)
def test_constants_that_do_not_fit_are_refused(
    store: ModelStore, constants: dict[str, Any], code: str, pointer: str
) -> None:
    given = {name: array for name, array in (CONSTANTS | constants).items() if array is not None}
    with pytest.raises(Refused) as refused:
        create(store, spec=NORMED, constants=given)
    (fault,) = refused.value.faults
    assert (fault.code, fault.pointer) == (code, pointer)
    with store.database.reading() as transaction:
        assert not models.every(transaction)


def test_a_network_without_constants_takes_none(store: ModelStore) -> None:
    with pytest.raises(Refused, match="is no input"):
        create(store, optimizer=ADAM, constants={"mean": np.zeros(4)})


def test_a_constant_is_shared(store: ModelStore) -> None:
    inputs = SPEC["inputs"] | {"x": {"shape": [4], "constant": True}}
    with pytest.raises(Refused) as refused:
        compiled(SPEC | {"inputs": inputs})
    (fault,) = refused.value.faults
    assert fault.pointer == "/inputs/x/constant" and "shared" in fault.detail


def test_no_constant_is_no_part_of_a_spec() -> None:
    said = SPEC["inputs"] | {"x": {"shape": [4], "constant": False}}
    assert compiled(SPEC | {"inputs": said}).id == compiled(SPEC).id
