"""Triton's own client, unmodified: both of its HTTP clients, every form of bodies, and training."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
import tritonclient.http.aio as triton_aio
from support.clients import FLOW, PARAMS, POINTS, SEEN, X, Y
from support.service import Service
from tritonclient.utils import InferenceServerException

from deltawire import Client

pytestmark = [pytest.mark.clients, pytest.mark.filterwarnings("default")]
DATATYPES = {"float64": "FP64", "float32": "FP32", "int64": "INT64"}
WIDE = np.random.default_rng(0).normal(size=(200, 4))
"""Large enough that an answer is compressed."""


def host(url: Service) -> str:
    return url.removeprefix("http://")


def tensor(name: str, array: np.ndarray, binary: bool = True, of: Any = triton) -> Any:
    sent = of.InferInput(name, array.shape, DATATYPES[array.dtype.name])
    sent.set_data_from_numpy(array, binary_data=binary)
    return sent


def expected(url: Service, x: np.ndarray) -> np.ndarray:
    return Client(url).forward(FLOW["network"], PARAMS, {"x": x}, ["probs"])["probs"]


def test_metadata(url: Service) -> None:
    client = triton.InferenceServerClient(host(url))
    assert client.is_server_live() and client.is_server_ready()
    assert client.get_server_metadata()["name"] == "deltawire"
    assert client.is_model_ready("flow") and client.is_model_ready("flow", "1")
    assert not client.is_model_ready("flaw")
    metadata = client.get_model_metadata("flow")
    assert metadata["inputs"] == [{"name": "x", "datatype": "FP64", "shape": [-1, 4]}]
    assert metadata["outputs"] == [{"name": "probs", "datatype": "FP64", "shape": [-1, 3]}]
    assert client.get_model_config("flow:gradients")["input"][0]["name"] == "x"
    names = {entry["name"] for entry in client.get_model_repository_index()}
    assert {"flow", "flow:gradients", "line", "pinned:gradients"} <= names


@pytest.mark.parametrize("compress", [None, "gzip", "deflate"])
@pytest.mark.parametrize("compressed", [None, "gzip", "deflate"])
@pytest.mark.parametrize("sent", [True, False])
@pytest.mark.parametrize("got", [True, False])
def test_every_form_gives_the_same_bits(
    url: Service, sent: bool, got: bool, compress: Any, compressed: Any
) -> None:
    client = triton.InferenceServerClient(host(url))
    result = client.infer(
        "flow", [tensor("x", WIDE, sent)], outputs=[triton.InferRequestedOutput("probs", binary_data=got)],
        request_id="seven", request_compression_algorithm=compress, response_compression_algorithm=compressed,
    )  # fmt: skip
    assert result.get_response()["id"] == "seven"
    assert result.as_numpy("probs").tobytes() == expected(url, WIDE).tobytes()


def test_binary_and_json_mix(url: Service) -> None:
    client = triton.InferenceServerClient(host(url))
    for of_x, of_y in ((True, False), (False, True)):
        result = client.infer(
            "flow:gradients",
            [tensor("x", X, of_x), tensor("y", Y, of_y)],
            outputs=[
                triton.InferRequestedOutput("loss", binary_data=False),
                triton.InferRequestedOutput("gradients/params/hidden.weight", binary_data=True),
                triton.InferRequestedOutput("gradients/data/x", binary_data=False),
            ],
        )
        loss, gradients = Client(url).value_and_grad(
            FLOW["network"], PARAMS, {"x": X, "y": Y}, wrt={"params": True, "data": True}
        )
        assert result.as_numpy("loss").item() == loss
        assert (
            result.as_numpy("gradients/params/hidden.weight").tobytes()
            == gradients["hidden.weight"].tobytes()
        )
        assert result.as_numpy("gradients/data/x").tobytes() == gradients["x"].tobytes()


def test_without_outputs_all_come(url: Service) -> None:
    client = triton.InferenceServerClient(host(url))
    result = client.infer("pinned:gradients", [])
    names = {output["name"] for output in result.get_response()["outputs"]}
    assert names == {"loss", "gradients/data/x", *(f"gradients/params/{name}" for name in PARAMS)}
    assert result.as_numpy("loss").shape == (1,)


def test_asyncio(url: Service) -> None:
    async def ask() -> None:
        async with triton_aio.InferenceServerClient(host(url)) as client:
            assert await client.is_model_ready("flow")
            inputs = [[tensor("x", WIDE + i, of=triton_aio)] for i in range(6)]
            ways = [
                {"request_compression_algorithm": how, "response_compression_algorithm": how}
                for how in [None, "gzip", "deflate"] * 2
            ]
            asked = zip(inputs, ways, strict=True)
            results = await asyncio.gather(*(client.infer("flow", each, **way) for each, way in asked))
            for i, result in enumerate(results):
                assert result.as_numpy("probs").tobytes() == expected(url, WIDE + i).tobytes()
            with pytest.raises(InferenceServerException, match="there is no model 'flaw'"):
                await client.infer("flaw", inputs[0])

    asyncio.run(ask())


def test_a_narrower_datatype_is_widened(url: Service) -> None:
    narrow = X.astype("f4")
    result = triton.InferenceServerClient(host(url)).infer("flow", [tensor("x", narrow)])
    assert result.as_numpy("probs").tobytes() == expected(url, narrow.astype("f8")).tobytes()


def test_mistakes_are_told_in_words(url: Service) -> None:
    client = triton.InferenceServerClient(host(url))
    for inputs, words in (
        ([tensor("z", X)], "got 'z'"),
        ([tensor("x", X.astype("i8"))], "expected FP64.*, got 'INT64'"),
        ([tensor("x", X[:, :3])], r"expected shape \[batch, 4\], got \[2, 3\]"),
        ([], "'x' is missing"),
    ):
        with pytest.raises(InferenceServerException, match=words):
            client.infer("flow", inputs)
    with pytest.raises(InferenceServerException, match="there is no output 'prob'"):
        client.infer("flow", [tensor("x", X)], outputs=[triton.InferRequestedOutput("prob")])


def test_what_is_not_finite_comes_as_bytes(url: Service) -> None:
    client = triton.InferenceServerClient(host(url))
    spoilt = X.copy()
    spoilt[0, 0] = np.nan
    found = client.infer("flow", [tensor("x", spoilt)]).as_numpy("probs")
    assert np.isnan(found[0]).all() and np.isfinite(found[1]).all()


def test_it_trains(url: Service) -> None:
    client = triton.InferenceServerClient(host(url))
    params = {"f.weight": np.zeros((1, 1)), "f.bias": np.zeros(1)}
    losses = []
    for _ in range(60):
        result = client.infer("line:gradients", [tensor(name, array) for name, array in params.items()])
        losses.append(result.as_numpy("loss").item())
        for name in params:
            params[name] = params[name] - 0.2 * result.as_numpy(f"gradients/params/{name}")
    slope, intercept = np.polyfit(POINTS[:, 0], SEEN[:, 0], 1)
    np.testing.assert_allclose(
        [params["f.weight"].item(), params["f.bias"].item()], [slope, intercept], atol=1e-6
    )
    assert losses[-1] < losses[0]
