"""Runs are found by their ids, and listed."""

from __future__ import annotations

import pytest
from client.runs.conftest import examples, network

from deltawire import Client, Model, Refused, optim


def test_runs_are_listed_the_latest_first(client: Client, model: Model) -> None:
    other = client.create_model(network(), name="other", optimizer=optim.sgd(0.01))
    ids = [each.fit(examples(), steps=1, progress=False).id for each in (model, other, model)]
    assert [run["id"] for run in client.runs()] == ids[::-1]
    assert [run["id"] for run in client.runs("other")] == [ids[1]]
    assert client.run(ids[0]).describe()["model"] == "adder"


@pytest.mark.parametrize("id", ["", 3, None])
def test_an_id_is_a_text(client: Client, id: object) -> None:
    with pytest.raises(Refused, match="the id of a run"):
        client.run(id)  # type: ignore[arg-type]


def test_an_unknown_run_is_refused(client: Client) -> None:
    with pytest.raises(Refused) as caught:
        client.run("none")
    assert caught.value.code == "run_not_found"
