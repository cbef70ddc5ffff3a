"""Computations with a model are those of the client with the parameters of that version, to the last bit."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.classifier import batch, classifier

from deltawire import Client, Model, ModelVersion, Network

DATA = batch(100)
SCORES = np.linspace(-1, 1, 15).reshape(5, 3)
BIAS = np.linspace(0, 1, 8)

COMPUTATIONS: dict[str, Callable[..., Any]] = {
    "value_and_grad": lambda call: call(DATA, reduction="sum"),
    "gradients": lambda call: vars(call(DATA, losses=True, values=["scores"], wrt={"data": ["x"]})),
    "forward": lambda call: call({"x": DATA["x"]}),
    "vjp": lambda call: call(DATA, {"scores": SCORES}, wrt={"data": True}),
    "jvp": lambda call: call(DATA, {"hidden.bias": BIAS}, ["scores"]),
    "jacobian": lambda call: call(DATA, ["scores"], mode="forward"),
    "hvp": lambda call: call(DATA, {"hidden.bias": BIAS}),
    "quadratic_form": lambda call: call(DATA, {"hidden.bias": BIAS}),
    "hessian_diagonal": lambda call: call(DATA, samples=3),
    "per_example_gradients": lambda call: call(DATA),
    "check": lambda call: call(DATA, samples=2),
}


def flat(result: Any) -> Any:
    """A result without what names the model, its arrays as bytes."""
    if isinstance(result, np.ndarray):
        return (result.shape, result.tobytes())
    if isinstance(result, dict):
        skipped = ("model", "version", "params_id")
        return {key: flat(part) for key, part in result.items() if key not in skipped}
    if isinstance(result, tuple | list):
        return [flat(part) for part in result]
    return result


@pytest.fixture
def trained(model: Model) -> Model:
    for seed in range(3):
        model.step(batch(seed))
    return model


@pytest.mark.parametrize("name", COMPUTATIONS)
def test_every_computation_has_the_parameters_of_its_version(
    name: str, client: Client, trained: Model
) -> None:
    compute, results = COMPUTATIONS[name], []
    for version, with_model in ((3, trained), (1, trained.at(1))):
        params = trained.params(version)

        def expected(*arguments: Any, params: Any = params, **options: Any) -> Any:
            return getattr(client, name)(classifier(), params, *arguments, **options)

        results.append(flat(compute(getattr(with_model, name))))
        assert results[-1] == flat(compute(expected))
    assert results[0] != results[1]


def test_a_plan(client: Client, trained: Model) -> None:
    own, sent = trained.plan(7, values=["scores"]), client.plan(classifier(), 7, values=["scores"])
    assert [node["shape"] for node in own["nodes"]] == [node["shape"] for node in sent["nodes"]]
    assert own["operations"] == sent["operations"]


def test_gradients_tell_the_version(client: Client, trained: Model) -> None:
    assert trained.gradients(DATA).version == 3 and trained.at(1).gradients(DATA).version == 1
    assert client.gradients(classifier(), trained.params(), DATA).version is None


def test_a_version_knows_its_number(trained: Model) -> None:
    assert (trained.version, trained.at(1).version) == (3, 1)
    trained.step(batch(3))
    assert (trained.version, trained.at(1).version) == (4, 1)
    assert (repr(trained), repr(trained.at(1))) == (
        "Model('digits', float64)",
        "ModelVersion('digits', float64, version=1)",
    )


def test_a_notebook_shows_the_graph(trained: Model) -> None:
    assert trained._repr_html_() == trained.at(1)._repr_html_() == Network.from_spec(trained)._repr_html_()


@pytest.mark.parametrize(
    ("pinned", "address"),
    [(None, "http://127.0.0.1:8000/?model=digits"), (2, "http://127.0.0.1:8000/?model=digits&amp;version=2")],
)
def test_a_notebook_links_to_the_explorer_of_a_service_with_a_url(pinned: int | None, address: str) -> None:
    spec = {"inputs": {"x": {"shape": []}}, "nodes": [{"name": "f", "kind": "tanh", "inputs": ["x"]}]}
    client = Client("http://user:secret@127.0.0.1:8000/")
    shown = ModelVersion(client, "digits", "float64", spec, pinned)._repr_html_()
    assert shown.startswith("<svg") and f'<a href="{address}"' in shown
    assert "secret" not in shown


def test_methods_are_described_without_what_the_model_has() -> None:
    assert [*COMPUTATIONS, "plan"] and issubclass(Model, ModelVersion)
    for name in COMPUTATIONS:
        own, of_client = (inspect.signature(getattr(owner, name)) for owner in (Model, Client))
        assert list(own.parameters)[1:] == list(of_client.parameters)[3:]
        assert f"`Client.{name}`" in (inspect.getdoc(getattr(Model, name)) or "")
    assert list(inspect.signature(Model.plan).parameters)[1] == "batch"
