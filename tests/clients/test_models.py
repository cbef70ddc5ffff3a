"""The clients of others call a model that learns: the numbers are those of /v1, before and after a step."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import requests
import tritonclient.http as triton
import umbridge
from support.clients import FLOW, PARAMS, X, Y, publish_all
from support.service import Service, running_service
from tesseract_core import Tesseract
from tesseract_jax import apply_tesseract

pytestmark = [pytest.mark.clients, pytest.mark.filterwarnings("default")]

DATA = {"x": X.tolist(), "y": Y.tolist()}
ADAM: dict[str, Any] = {"kind": "adam", "config": {"learning_rate": 0.05}}
PROBS = 1
"""The place of `probs` among the outputs of the model; `log_probs` is before it."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("models")
    (folder / "networks").mkdir()
    publish_all(folder / "networks")
    places = {"networks_dir": str(folder / "networks"), "data_dir": str(folder / "store")}
    with running_service("-w", "2", queue_seconds="5", **places) as service:
        yield service


def post(url: Service, route: str, **document: Any) -> Any:
    answer = requests.post(f"{url}/v1/{route}", json=document, timeout=30)
    assert answer.ok, answer.text
    return answer.json()


@pytest.fixture
def model(url: Service, request: pytest.FixtureRequest) -> str:
    """The name of a new model with the network of the lecture."""
    name = request.node.name
    params = {name: array.tolist() for name, array in PARAMS.items()}
    post(url, "models", name=name, network=FLOW["network"], params=params, optimizer=ADAM)
    return str(name)


def step(url: Service, model: str) -> int:
    return int(post(url, f"models/{model}/steps", data=DATA)["version"])


def same(found: Any, expected: Any) -> None:
    found, expected = np.asarray(found, "f8"), np.asarray(expected, "f8")
    assert found.shape == expected.shape and found.tobytes() == expected.tobytes()


def input_of(name: str, array: np.ndarray) -> Any:
    sent = triton.InferInput(name, array.shape, {"float64": "FP64", "int64": "INT64"}[array.dtype.name])
    sent.set_data_from_numpy(array)
    return sent


def test_triton(url: Service, model: str) -> None:
    client = triton.InferenceServerClient(url.removeprefix("http://"))
    x, y = input_of("x", X), input_of("y", Y)
    values, wanted = [], [triton.InferRequestedOutput("probs")]
    for version in range(3):
        metadata = client.get_model_metadata(model)
        assert metadata["versions"] == [str(version)] and client.is_model_ready(model)
        expected = post(url, f"models/{model}/forward", data={"x": DATA["x"]}, values=["probs"])
        result = client.infer(model, [x], outputs=wanted)
        assert result.get_response()["model_version"] == str(version)
        same(result.as_numpy("probs"), expected["values"]["probs"])
        values.append(result.as_numpy("probs").copy())
        gradients = post(url, f"models/{model}/gradients", data=DATA, wrt={"data": True})
        result = client.infer(f"{model}:gradients", [x, y])
        same(result.as_numpy("loss"), [gradients["loss"]])
        for place in ("params", "data"):
            for name, array in gradients["gradients"][place].items():
                same(result.as_numpy(f"gradients/{place}/{name}"), array)
        assert step(url, model) == version + 1
    for version, array in enumerate(values):
        result = client.infer(model, [x], model_version=str(version), outputs=wanted)
        assert result.get_response()["model_version"] == str(version)
        same(result.as_numpy("probs"), array)
        assert client.is_model_ready(model, str(version))
    assert not client.is_model_ready(model, "4")
    index = {entry["name"]: entry["version"] for entry in client.get_model_repository_index()}
    assert index[model] == index[f"{model}:gradients"] == "3" and index["flow"] == "1"


def test_umbridge(url: Service, model: str) -> None:
    assert {model, f"{model}.loss", f"{model}.loglik", "flow"} <= set(umbridge.supported_models(str(url)))
    served = umbridge.HTTPModel(str(url), model)
    objective = umbridge.HTTPModel(str(url), f"{model}.loss")
    assert served.get_input_sizes() == [4] and served.get_output_sizes() == [3, 3]
    at, sens, vec = X[:1].tolist(), [1.0, -2.0, 0.5], [0.3, 0.1, -1.0, 2.0]
    seen = set()
    for _ in range(3):
        expected = post(url, f"models/{model}/forward", data={"x": at}, values=["log_probs", "probs"])[
            "values"
        ]
        found = served(at)
        same(found[:PROBS], expected["log_probs"])
        same(found[PROBS:], expected["probs"])
        seen.add(tuple(found[PROBS]))
        wrt = {"data": True, "params": False}
        product = post(url, f"models/{model}/vjp", data={"x": at}, cotangents={"probs": [sens]}, wrt=wrt)
        same([served.gradient(PROBS, 0, at, sens)], product["products"]["data"]["x"])
        tangents = {"data": {"x": [vec]}}
        product = post(url, f"models/{model}/jvp", data={"x": at}, tangents=tangents, outputs=["probs"])
        same([served.apply_jacobian(PROBS, 0, at, vec)], product["tangents"]["probs"])
        params = requests.get(f"{url}/v1/models/{model}/params", timeout=30).json()["params"]
        theta = [np.concatenate([np.ravel(params[name]) for name in PARAMS]).tolist()]
        gradients = post(url, f"models/{model}/gradients", data=DATA)
        config = {"data": DATA}
        same(objective(theta, config), [[gradients["loss"]]])
        flat = np.concatenate([np.ravel(gradients["gradients"]["params"][name]) for name in PARAMS])
        same(objective.gradient(0, 0, theta, [1.0], config), flat)
        step(url, model)
    assert len(seen) == 3


def test_tesseract(url: Service, model: str) -> None:
    served = Tesseract.from_url(f"{url}/tesseract/{model}")
    cotangent = np.sin(np.arange(6.0)).reshape(2, 3)
    seen = set()
    for _ in range(3):
        expected = post(url, f"models/{model}/forward", data={"x": DATA["x"]}, values=["log_probs", "probs"])
        found = served.apply({"x": X})
        for name in ("log_probs", "probs"):
            same(found[name], expected["values"][name])
        seen.add(found["probs"].tobytes())
        product = post(
            url,
            f"models/{model}/vjp",
            data={"x": DATA["x"]},
            cotangents={"probs": cotangent.tolist()},
            wrt={"data": True, "params": True},
        )["products"]
        back = served.vector_jacobian_product(
            {"x": X}, ["x", "params.{hidden}.{weight}"], ["probs"], {"probs": cotangent}
        )
        same(back["x"], product["data"]["x"])
        same(back["params.{hidden}.{weight}"], product["params"]["hidden.weight"])
        step(url, model)
    assert len(seen) == 3


def test_jax_differentiates_the_newest_version(url: Service, model: str) -> None:
    with jax.enable_x64(True):
        served = Tesseract.from_url(f"{url}/tesseract/{model}")

        def total(x: Any) -> Any:
            return apply_tesseract(served, {"x": x}, vmap_method="sequential")["probs"][:, 0].sum()

        for _ in range(2):
            cotangents = {"probs": np.eye(3)[[0, 0]].tolist()}
            wrt = {"data": True, "params": False}
            product = post(url, f"models/{model}/vjp", data={"x": DATA["x"]}, cotangents=cotangents, wrt=wrt)
            same(jax.jit(jax.grad(total))(jnp.asarray(X)), product["products"]["data"]["x"])
            step(url, model)


def test_every_answer_is_of_the_version_that_it_names(url: Service, model: str) -> None:
    """Triton's client reads while another caller steps: no answer mixes two versions."""
    client = triton.InferenceServerClient(url.removeprefix("http://"))
    stepping = threading.Thread(target=lambda: [step(url, model) for _ in range(40)])
    stepping.start()
    answers = list[tuple[int, bytes]]()
    x, wanted = input_of("x", X), [triton.InferRequestedOutput("probs")]
    while stepping.is_alive() or not answers:
        result = client.infer(model, [x], outputs=wanted)
        version = int(result.get_response()["model_version"])
        answers.append((version, result.as_numpy("probs").tobytes()))
    stepping.join()
    assert [version for version, _ in answers] == sorted(version for version, _ in answers)
    assert len({version for version, _ in answers}) > 1
    for version, found in dict.fromkeys(answers):
        document = {"data": {"x": DATA["x"]}, "values": ["probs"], "version": version}
        expected = post(url, f"models/{model}/forward", **document)["values"]["probs"]
        assert found == np.array(expected, "f8").tobytes()
