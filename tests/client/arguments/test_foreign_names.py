"""Names of other libraries lead to those of deltawire, and unknown attributes are none."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from deltawire import Client, Network, optim
from deltawire.arguments.foreign_names import ELSEWHERE
from deltawire.models.model import Model

NET = Network()
PLACES: dict[str, Any] = {
    "Network": NET,
    "Handle": NET.input("x", (3,)),
    "Client": Client(),
    "ModelVersion": Model(Client(), "digits", "float64", NET.spec()),
    "Optimizer": optim.adam(),
    "optim": optim,
}


@pytest.mark.parametrize("kind", ELSEWHERE)
def test_each_name_leads_to_what_stands_for_it_and_is_no_attribute(kind: str) -> None:
    place = PLACES[kind]
    for names, mend in ELSEWHERE[kind].items():
        for name in names.split():
            assert not hasattr(place, name), name
            with pytest.raises(AttributeError) as caught:
                getattr(place, name)
            assert repr(name) in str(caught.value) and mend in str(caught.value)


def test_a_name_that_nobody_knows_is_missing_without_a_mend() -> None:
    with pytest.raises(AttributeError, match=r"^'Client' object has no attribute 'foo'$"):
        getattr(Client(), "foo")  # noqa: B009
    with pytest.raises(AttributeError, match=r"^module 'deltawire.optim' has no attribute 'foo'$"):
        getattr(optim, "foo")  # noqa: B009


@pytest.mark.parametrize(
    "place, name, words",
    [
        (optim.adam(), "lr", "optimizer.learning_rate = … changes it"),
        (optim.adam(), "momentum", "it is an argument of the optimizer"),
        (optim.adam(), "learnig_rate", "no attribute 'learnig_rate'"),
        (Network(), "los", "no attribute 'los'"),
    ],
)
def test_an_attribute_that_nothing_reads_is_not_made(place: Any, name: str, words: str) -> None:
    with pytest.raises(AttributeError, match=words):
        setattr(place, name, 0.5)


def test_a_property_that_fails_keeps_its_own_error() -> None:
    class Broken(Network):
        @property
        def broken(self) -> Any:
            return self.metadata.nothing  # type: ignore[attr-defined]

    with pytest.raises(AttributeError, match="'dict' object has no attribute 'nothing'"):
        getattr(Broken(), "broken")  # noqa: B009


def test_a_subclass_has_attributes_of_its_own() -> None:
    class Mine(Network):
        pass

    mine = Mine()
    mine.note = 3  # type: ignore[attr-defined]
    assert mine.note == 3  # type: ignore[attr-defined]


def test_networks_and_optimizers_are_still_copied_and_pickled() -> None:
    for copied in (copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))):
        assert copied(NET).spec() == NET.spec()
        assert copied(optim.adam(0.5)).rule() == optim.adam(0.5).rule()


def test_a_network_is_not_called() -> None:
    with pytest.raises(TypeError, match=r"client.forward\(net, params, data\)"):
        NET(1)  # type: ignore[operator]
