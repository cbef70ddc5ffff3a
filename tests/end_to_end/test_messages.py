"""Wrong calls as newcomers from torch, Keras and jax make them: messages have place, expectation and mend."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from support.console import run

from deltawire import Client, Network, Refused
from deltawire_service.app import create_app
from deltawire_service.settings import Settings

NET = Network()
SCORES = NET.layer("linear", NET.input("x", (4,)), units=3, name="scores")
NET.loss = NET.layer("softmax_nll", SCORES, NET.input("y", (), dtype="int64"), name="loss")
W, B = np.arange(12.0).reshape(3, 4) / 12, np.zeros(3)
PARAMS = {"scores.weight": W, "scores.bias": B}
X, Y = np.ones((2, 4)), np.array([0, 2])
DATA = {"x": X, "y": Y}
MASK = "the numbers of a mask are 0 and 1"


@pytest.fixture(scope="module")
def client() -> Client:
    return Client()


@pytest.fixture(scope="module")
def service() -> FlaskClient:
    return create_app(Settings(log_level="error")).test_client()


PARAMETERS: dict[str, tuple[Any, list[str]]] = {
    "transposed": ({"scores.weight": W.T, "scores.bias": B}, ["expected shape [3, 4], got [4, 3], its transpose"]),
    "too small": ({"scores.weight": [[1, 2]], "scores.bias": B}, ["expected shape [3, 4], got [1, 2]"]),
    "bias left out": ({"scores.weight": W}, ["/params/scores.bias: 'scores.bias' is missing: expected an array (3)"]),
    "torch's names": ({"weight": W, "bias": B}, ["the network has no parameter 'bias'; known: scores.bias, scores.weight"]),
    "a list": ([W, B], ["/params: expected a dict of arrays by name ({} for none), got [array"]),
    "None": (None, ["/params: expected a dict of arrays by name", "got None"]),
    "float16": ({"scores.weight": W.astype("f2"), "scores.bias": B}, ["got float16: convert it with .astype"]),
    "two dtypes": ({"scores.weight": W.astype("f4"), "scores.bias": B}, ["expected float32, as /params/scores.weight is", "got float64"]),
    "a string": ({"scores.weight": "w.npy", "scores.bias": B}, ["/params/scores.weight: expected a number, got a string"]),
    "infinite": ({"scores.weight": W + np.inf, "scores.bias": B}, ["'scores.weight' holds a number that is not finite: inf, at [0, 0]"]),
}  # fmt: skip

BATCHES: dict[str, tuple[Any, list[str]]] = {
    "no batch axis": ({"x": np.ones(4), "y": Y}, ["expected shape [batch, 4], got [4]: the batch axis is missing, of size 1 for one example"]),
    "one label": ({"x": X, "y": 2}, ["expected shape [batch], got []: the batch axis is missing"]),
    "one-hot floats": ({"x": X, "y": np.eye(3)[Y]}, ["/data/y/0/0: expected an integer", "one-hot rows with .argmax(axis=-1)"]),
    "one-hot integers": ({"x": X, "y": np.eye(3, dtype=int)[Y]}, ["expected shape [batch], got [2, 3]: one-hot rows become integers with argmax"]),
    "float labels": ({"x": X, "y": Y.astype(float)}, ["expected an integer, got 0.0 in example 0: convert them with .astype(int)"]),
    "fractions": ({"x": X, "y": [0, 0.5]}, ["/data/y/1: expected an integer, got 0.5 in example 1"]),
    "a column": ({"x": X, "y": Y[:, None]}, ["expected shape [batch], got [2, 1]: leave out the last axis"]),
    "from one": ({"x": X, "y": [1, 3]}, ["/data/y/1: input 'y': expected integers from 0 to 2, got 3 in example 1"]),
    "ignored": ({"x": X, "y": [-100, 1]}, ["expected integers from 0 to 2, got -100 in example 0"]),
    "words": ({"x": X, "y": ["cat", "dog"]}, ["/data/y/0: expected an integer, got a string"]),
    "boolean labels": ({"x": X, "y": np.array([True, False])}, ["expected an integer, got true in example 0", MASK]),
    "boolean data": ({"x": X > 0, "y": Y}, ["/data/x/0/0: expected a number, got a boolean", MASK]),
    "booleans in lists": ({"x": [[True] * 4] * 2, "y": Y}, ["expected a number, got a boolean", MASK]),
    "numbers as text": ({"x": [["1", "2", "3", "4"]] * 2, "y": Y}, ["/data/x/0/0: expected a number, got a string in example 0"]),
    "a word for a number": ({"x": [[1, 2, 3, 4], [3, "NaN", 1, 2]], "y": Y}, ["/data/x/1/1: expected a number, got a string in example 1"]),
    "too large": ({"x": [[1, 2, 3, 4], [3, 10**400, 1, 2]], "y": Y}, ["out of the range of float64 in example 1"]),
    "None": ({"x": None, "y": Y}, ["/data/x: expected a number, got null"]),
    "ragged": ({"x": [[1, 2, 3, 4], [1, 2]], "y": Y}, ["/data/x/1: expected a list of 4, like the first one, got one of 2"]),
    "ragged arrays": ({"x": [np.ones(4), np.ones(3)], "y": Y}, ["/data/x/1: expected shape [4], like the first one, got [3]"]),
    "objects": ({"x": np.array([[1, 2, 3, None]] * 2, object), "y": Y}, ["/data/x/0/3: expected a number, got null"]),
    "too many columns": ({"x": np.ones((2, 5)), "y": Y}, ["input 'x': expected shape [batch, 4], got [2, 5]"]),
    "NaN": ({"x": np.where([[0, 0, 0, 0], [0, 0, 1, 0]], np.nan, X), "y": Y}, ["nan in example 1, at [2]"]),
    "complex": ({"x": X * 1j, "y": Y}, ["/data/x/0/0: expected a number, got a complex number"]),
    "dates": ({"x": np.zeros((2, 4), "M8[s]"), "y": Y}, ["/data/x: expected float64 or float32, got datetime64[s]"]),
    "a path": ({"x": "x.npy", "y": Y}, ["/data/x: expected a number, got a string"]),
    "masked": ({"x": np.ma.masked_equal(X, 1), "y": Y}, ["the number is masked: replace it (.filled)"]),
    "a function": ({"x": len, "y": Y}, ["/data/x: expected a number, got a builtin_function_or_method"]),
    "two batches": ({"x": X, "y": [0]}, ["input 'y': expected 2 examples like 'x', got 1"]),
    "empty": ({"x": np.ones((0, 4)), "y": np.zeros(0, int)}, ["input 'x': expected at least one example, got none"]),
    "another name": ({"X": X, "y": Y}, ["the network has no input 'X'; known: x, y", "'x' is missing: expected an array (batch, 4)"]),
    "no labels": ({"x": X}, ["/data/y: 'y' is missing: expected an array (batch)"]),
    "a pair": ((X, Y), ["/data: expected a dict of arrays by name"]),
    "an array": (X, ["/data: expected a dict of arrays by name"]),
}  # fmt: skip


@pytest.mark.parametrize("case", PARAMETERS)
def test_parameters(case: str, client: Client) -> None:
    params, words = PARAMETERS[case]
    check(lambda: client.value_and_grad(NET, params, DATA), words)


@pytest.mark.parametrize("case", BATCHES)
def test_batches(case: str, client: Client) -> None:
    data, words = BATCHES[case]
    check(lambda: client.value_and_grad(NET, PARAMS, data), words)


def check(call: Callable[[], Any], words: list[str]) -> None:
    with pytest.raises(Refused) as caught:
        call()
    for part in words:
        assert part in str(caught.value)


OPTIONS: dict[str, tuple[Callable[[Client], Any], list[str]]] = {
    "wrt is a list": (lambda c: c.gradients(NET, PARAMS, DATA, wrt=["x"]), ['/wrt: expected {"params": True', "got ['x']"]),
    "wrt is a name": (lambda c: c.gradients(NET, PARAMS, DATA, wrt={"data": "x"}), ["/wrt/data: expected true, false or a list of names, got 'x'"]),
    "wrt has a glob": (lambda c: c.gradients(NET, PARAMS, DATA, wrt={"params": ["*.w"]}), ["/wrt/params/0: no parameter matches '*.w'; known: scores.bias"]),
    "wrt has labels": (lambda c: c.gradients(NET, PARAMS, DATA, wrt={"data": ["y"]}), ["input 'y' holds integers: it has no gradient"]),
    "wrt has a key": (lambda c: c.gradients(NET, PARAMS, DATA, wrt={"parameters": True}), ["unknown field 'parameters'; here it is 'params'"]),
    "no reduction": (lambda c: c.gradients(NET, PARAMS, DATA, reduction="none"), ["/reduction: expected 'mean' or 'sum', got 'none'"]),
    "reduction None": (lambda c: c.gradients(NET, PARAMS, DATA, reduction=None), ["/reduction: expected 'mean' or 'sum', got null"]),
    "values is a name": (lambda c: c.gradients(NET, PARAMS, DATA, values="scores"), ["/values: expected a list of names, got 'scores'"]),
    "no such value": (lambda c: c.gradients(NET, PARAMS, DATA, values=["score"]), ["no node is named 'score'; did you mean 'scores'?"]),
    "losses is 1": (lambda c: c.gradients(NET, PARAMS, DATA, losses=1), ["/losses: expected true or false, got 1"]),
    "non_finite ignores": (lambda c: c.gradients(NET, PARAMS, DATA, non_finite="ignore"), ["/non_finite: expected 'error' or 'return', got 'ignore'"]),
    "a cotangent's shape": (lambda c: c.vjp(NET, PARAMS, DATA, {"scores": np.ones(3)}), ["/cotangents/scores: expected shape [2, 3]", "got [3]"]),
    "a cotangent's name": (lambda c: c.vjp(NET, PARAMS, DATA, {"score": X}), ["'score' is no node; did you mean 'scores'?"]),
    "a tangent's shape": (lambda c: c.jvp(NET, PARAMS, DATA, {"x": np.ones(4)}, ["scores"]), ["/tangents/data/x: expected shape [2, 4]", "got [4]"]),
    "no tangent": (lambda c: c.jvp(NET, PARAMS, DATA, {}, ["scores"]), ["/tangents: name at least one parameter or input"]),
    "nested tangents": (lambda c: c.jvp(NET, PARAMS, DATA, {"data": {"x": X}}, ["scores"]), ["/tangents: expected arrays by name, not below params and data"]),
    "a mode": (lambda c: c.jacobian(NET, PARAMS, DATA, ["scores"], mode="rev"), ["/mode: expected 'reverse' or 'forward', got 'rev'"]),
    "outputs is a name": (lambda c: c.jacobian(NET, PARAMS, DATA, "scores"), ["/outputs: expected a list of names, got 'scores'"]),
    "a vector's name": (lambda c: c.hvp(NET, PARAMS, DATA, {"weight": W}), ["/vectors/data/weight: the network has no input 'weight'"]),
    "no samples": (lambda c: c.hessian_diagonal(NET, PARAMS, DATA, samples=0), ["expected a whole number of at least 1 and at most 10000, got 0"]),
    "half a sample": (lambda c: c.check(NET, PARAMS, DATA, samples=2.5), ["/samples: expected a whole number, got 2.5"]),
    "a seed below 0": (lambda c: c.init(NET, seed=-1), ["/seed: expected a whole number of at least 0", "got -1"]),
    "float16": (lambda c: c.init(NET, dtype="float16"), ["/dtype: expected 'float64' or 'float32', got 'float16'"]),
    "int": (lambda c: c.init(NET, dtype=int), ["/dtype: expected 'float64' or 'float32', got 'int64'"]),
    "no batch": (lambda c: c.plan(NET, batch=0), ["/batch: expected a whole number of at least 1", "got 0"]),
    "a batch as text": (lambda c: c.plan(NET, batch="32"), ["/batch: expected a whole number, got '32'"]),
    "no such name": (lambda c: c.published("digits"), ["no network is published as 'digits'"]),
    "a name alone": (lambda c: c.plan("digits"), ["/network: expected a Network, a spec as a dict, or client.published"]),
    "a list of layers": (lambda c: c.plan([1]), ["/network: expected a Network, a spec as a dict", "got [1]"]),
}  # fmt: skip


@pytest.mark.parametrize("case", OPTIONS)
def test_options(case: str, client: Client) -> None:
    call, words = OPTIONS[case]
    check(lambda: call(client), words)


RELU = {"inputs": {"x": {"shape": [4]}}, "nodes": [{"kind": "relu"}]}
SPECS: dict[str, tuple[Any, list[str]]] = {
    "empty": ({}, ["/network/inputs: the field is missing: expected an object", "/network/nodes: the field is missing: expected a list of objects"]),
    "nodes by name": (RELU | {"nodes": {"a": 1}}, ["/network/nodes: expected a list of objects", "got {'a': 1}"]),
    "no nodes": (RELU | {"nodes": []}, ["/network/nodes: expected a list of objects, not empty, got []"]),
    "inputs in a list": (RELU | {"inputs": ["x"]}, ["/network/inputs: expected an object, got ['x']"]),
    "a size": (RELU | {"inputs": {"x": {"shape": 4}}}, ["/network/inputs/x/shape: expected a list of whole numbers of at least 1, got 4"]),
    "Keras' batch": (RELU | {"inputs": {"x": {"shape": [None, 4]}}}, ["expected a list of whole numbers of at least 1, got [null, 4]"]),
    "a bare shape": (RELU | {"inputs": {"x": [4]}}, ['/network/inputs/x: expected an object such as {"shape": [4]}, got [4]']),
    "no shape": (RELU | {"inputs": {"x": {}}}, ["/network/inputs/x/shape: the field is missing: expected a list of whole numbers of at least 1"]),
    "a dtype": (RELU | {"inputs": {"x": {"shape": [4], "dtype": "f4"}}}, ["expected 'float' (the dtype of the request) or 'int64', got 'f4'"]),
    "a type": (RELU | {"nodes": [{"type": "relu"}]}, ["unknown field 'type'; here it is 'kind'", "/network/nodes/0/kind: the field is missing: expected a string"]),
    "layers": (RELU | {"layers": []}, ["unknown field 'layers'; here it is 'nodes'"]),
    "params of a node": (RELU | {"nodes": [{"kind": "linear", "params": {"units": 3}}]}, ["unknown field 'params'; here it is 'config'"]),
    "lambda": (RELU | {"regularization": {"lambda": 1}}, ["unknown field 'lambda'; here it is 'l2'"]),
    "a word": (RELU | {"nodes": ["relu"]}, ["/network/nodes/0: expected an object, got 'relu'"]),
    "version 2": (RELU | {"version": 2}, ["/network/version: expected 1, got 2"]),
    "version as text": (RELU | {"version": "1"}, ["/network/version: expected a whole number, got '1'"]),
    "a dotted name": (RELU | {"inputs": {"x.1": {"shape": [4]}}}, ["'x.1' is no name: letters, digits and _"]),
    "losses in a list": (RELU | {"loss": ["relu1"]}, ["/network/loss: expected a node's name or an object of names and weights, got ['relu1']"]),
    "a vector as loss": (RELU | {"loss": "relu1"}, ["a loss is one number per example, shape []; node 'relu1' has shape [4]"]),
    "a tie": (RELU | {"nodes": [{"kind": "linear", "config": {"units": 2}, "tied_to": "zz"}]}, ["node 'linear1': no node is named 'zz'"]),
    "l2 as text": (RELU | {"regularization": {"l2": "1"}}, ["/network/regularization/l2: expected a number, got '1'"]),
    "l1": (RELU | {"regularization": {"l1": 1}}, ["unknown field 'l1'", "/network/regularization/l2: the field is missing: expected a number of at least 0"]),
}  # fmt: skip

LAYERS: dict[str, tuple[str, list[list[int]], dict[str, Any], list[str]]] = {
    "torch's units": ("linear", [[4]], {"out_features": 3}, ["unknown field 'out_features'; here it is 'units'", "config/units: node 'n' (linear): the field is missing: expected a whole number of at least 1"]),
    "no units": ("linear", [[4]], {}, ["/config/units: node 'n' (linear): the field is missing: expected a whole number of at least 1"]),
    "units as text": ("linear", [[4]], {"units": "3"}, ["/config/units: node 'n' (linear): expected a whole number, got '3'"]),
    "units a float": ("linear", [[4]], {"units": 3.0}, ["expected a whole number, got 3.0"]),
    "units 0": ("linear", [[4]], {"units": 0}, ["expected a whole number of at least 1, got 0"]),
    "Keras' same": ("conv2d", [[1, 4, 4]], {"channels": 1, "kernel": 3, "padding": "same"}, ["got 'same'", "dilation · (kernel − 1) / 2"]),
    "Keras' valid": ("max_pool2d", [[1, 4, 4]], {"kernel": 2, "padding": "valid"}, ["got 'valid': it is 0"]),
    "bias null": ("linear", [[4]], {"units": 3, "bias": None}, ["expected true or false, got null"]),
    "units true": ("linear", [[4]], {"units": True}, ["expected a whole number, got true"]),
    "units null": ("linear", [[4]], {"units": None}, ["expected a whole number of at least 1, got null"]),
    "bias as text": ("linear", [[4]], {"bias": "no", "units": 1}, ["/config/bias: node 'n' (linear): expected true or false, got 'no'"]),
    "a list of configs": ("linear", [[4]], [3], ["/config: expected an object, got [3]"]),
    "in_channels": ("conv2d", [[1, 8, 8]], {"in_channels": 1, "channels": 3, "kernel": 3}, ["unknown field 'in_channels'; it follows from the shapes of the inputs"]),
    "an initializer": ("linear", [[4]], {"units": 3, "init": "xavier"}, ["unknown field 'init'; init_scale scales the first numbers"]),
    "an activation": ("linear", [[4]], {"units": 3, "activation": "relu"}, ["unknown field 'activation'; an activation is a node of its own"]),
    "batch_first": ("lstm", [[5, 3]], {"units": 4, "batch_first": True}, ["the batch is the first axis of all data"]),
    "num_embeddings": ("embedding", [[]], {"num_embeddings": 9, "embedding_dim": 2}, ["here it is 'rows'", "here it is 'width'"]),
    "rate": ("dropout_mask", [[4]], {"rate": 0.5}, ["unknown field 'rate'; here it is 'p'"]),
    "num_heads": ("multi_head_attention", [[5, 4]], {"num_heads": 2}, ["here it is 'heads'"]),
    "a misspelt key": ("linear", [[4]], {"unit": 3}, ["did you mean 'units'?"]),
    "nn.Linear": ("nn.Linear", [[4]], {"units": 3}, ["no layer of kind 'nn.Linear' is installed; here it is 'linear'"]),
    "filters": ("conv2d", [[1, 8, 8]], {"filters": 3, "kernel": 3}, ["unknown field 'filters'; here it is 'channels'"]),
    "a kernel as text": ("conv2d", [[1, 8, 8]], {"channels": 3, "kernel": "3"}, ["expected a whole number of at least 1, or a list of 2 such numbers, got '3'"]),
    "padding same": ("conv2d", [[1, 8, 8]], {"channels": 3, "kernel": 3, "padding": "same"}, ["/config/padding", "expected a whole number of at least 0, or a list of 2 such numbers, got 'same'"]),
    "no channels": ("conv2d", [[8, 8]], {"channels": 3, "kernel": 3}, ["expected axes (channels, h, w), got shape [8, 8]"]),
    "groups": ("conv2d", [[4, 8, 8]], {"channels": 3, "kernel": 3, "groups": 2}, ["/config/groups", "expected a divisor of the 3 channels out, got 2"]),
    "kernel_size": ("max_pool2d", [[1, 8, 8]], {"kernel_size": 2}, ["unknown field 'kernel_size'; here it is 'kernel'", "the field is missing: expected a whole number of at least 1, or a list of 2 such numbers"]),
    "a wide padding": ("max_pool2d", [[1, 8, 8]], {"kernel": 2, "padding": 2}, ["expected at most half of the kernel's 2, got 2"]),
    "sizes": ("reshape", [[4]], {"shape": [-2]}, ["expected sizes of at least 1, one of which may be -1, got [-2]"]),
    "another count": ("reshape", [[4]], {"shape": [3]}, ["the 4 numbers of shape [4] do not fill shape [3]"]),
    "unequal shapes": ("add", [[3], [4]], {}, ["input 'i1': expected the shape of the first input, [3], got [4]"]),
    "two inputs": ("relu", [[3], [3]], {}, ["node 'n' (relu): expected 1 input (x), got 2"]),
    "an axis": ("softmax", [[3]], {"axis": -1}, ["/config/axis: node 'n' (softmax): unknown field 'axis'; its axes are fixed"]),
    "no such axis": ("concat", [[4], [4]], {"axis": 2}, ["axis 2 does not exist in shape [4]"]),
    "float indices": ("embedding", [[4]], {"rows": 9, "width": 2}, ["takes integers here, 'i0' has floats; declare an input with dtype 'int64' for it"]),
    "heads": ("multi_head_attention", [[2, 5]] * 3, {"heads": 2}, ["a width of 5 cannot be divided into 2 heads"]),
    "Dense": ("Dense", [[4]], {"units": 3}, ["no layer of kind 'Dense' is installed; here it is 'linear'"]),
    "mse": ("mse", [[3], [3]], {}, ["'squared_error' comes closest: it sums over an example"]),
    "cross_entropy": ("cross_entropy", [[3], []], {}, ["here it is 'softmax_nll'"]),
    "dropout": ("dropout", [[3]], {"rate": 0.5}, ["'dropout_mask' comes closest: draw a mask of 0 and 1 yourself"]),
    "ReLU6": ("ReLU6", [[3]], {}, ["'relu' comes closest: 6 − relu(6 − relu(x))"]),
}  # fmt: skip


def problem(service: FlaskClient, network: Any) -> dict[str, Any]:
    answer = service.post("/v1/gradients", json={"network": network, "data": {}})
    assert answer.status_code == 422
    document: dict[str, Any] = answer.json
    return document


def check_problem(problem: dict[str, Any], words: list[str]) -> None:
    text = "; ".join(f"{error['pointer']}: {error['detail']}" for error in problem["errors"])
    for part in words:
        assert part in text


@pytest.mark.parametrize("case", SPECS)
def test_specs(case: str, service: FlaskClient) -> None:
    spec, words = SPECS[case]
    check_problem(problem(service, spec), words)


@pytest.mark.parametrize("case", LAYERS)
def test_layers(case: str, service: FlaskClient) -> None:
    kind, shapes, config, words = LAYERS[case]
    inputs = {f"i{place}": {"shape": shape} for place, shape in enumerate(shapes)}
    node = {"name": "n", "kind": kind, "inputs": list(inputs), "config": config}
    check_problem(problem(service, {"inputs": inputs, "nodes": [node]}), words)


BODIES: dict[str, tuple[dict[str, Any], str]] = {
    "a form": ({"data": {"a": "1"}}, "got 'application/x-www-form-urlencoded'"),
    "a charset": ({"data": b"{}", "content_type": "text/plain; charset=latin-1"}, "got 'text/plain; charset=latin-1'"),
    "no type": ({"data": b"{}"}, "expected Content-Type application/json or application/vnd.safetensors, got none"),
    "a list": ({"json": []}, "expected an object, got []"),
    "no network": ({"json": {}}, "the field is missing: expected the spec of a network, or the name of a published one"),
    "no data": ({"json": {"network": RELU}}, "the field is missing: expected an object of tensors, or rows of a dataset"),
    "a network's name": ({"json": {"network": "digits", "data": {}}}, 'or {"name": …} of a published network, got \'digits\''),
    "wrt a name": ({"json": {"network": RELU, "data": {}, "wrt": "x"}}, 'expected an object such as {"params": true, "data": ["x"]}, got \'x\''),
    "no shape": ({"json": {"network": RELU | {"inputs": {"x": {"shape": None}}}, "data": {}}}, "expected a list of whole numbers of at least 1, got null"),
    "no values": ({"json": {"network": RELU, "data": {}, "values": None}}, "expected a list of names, got null"),
    "null": ({"json": {"network": RELU, "data": None}}, "expected an object of tensors, or rows of a dataset, got null"),
}  # fmt: skip


@pytest.mark.parametrize("case", BODIES)
def test_bodies(case: str, service: FlaskClient) -> None:
    sent, words = BODIES[case]
    answer = service.post("/v1/gradients", **sent)
    assert answer.status_code in (400, 415, 422) and words in answer.json["detail"]


@pytest.mark.parametrize(
    "command, content, words",
    [
        ("gradients", b"PK\x03\x04\x14\x00\x00\x00", "an .npz has arrays and no network"),
        ("publish", b"PK\x03\x04\x14\x00\x00\x00", "an .npz has arrays and no network"),
        ("gradients", b"[1]", "expected an object, got [1]"),
        ("plan", json.dumps({"network": RELU, "wrt": 1}).encode(), "expected an object such as"),
        ("check", json.dumps({"network": RELU, "paramz": {}}).encode(), "did you mean 'params'?"),
    ],
)
def test_files_of_commands(
    command: str, content: bytes, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_bytes(content)
    result = run(command, "file", columns=300)
    assert result.exit_code == 3
    assert words in result.stderr
