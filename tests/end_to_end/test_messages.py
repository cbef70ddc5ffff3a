"""Wrong calls as newcomers from torch, Keras and jax make them: messages have place, expectation and mend."""

# ruff: noqa: E501 (one case a line)

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from flask.testing import FlaskClient
from support.console import run

from deltawire import Client, Network, Refused, optim
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


def tied(units: int = 4, transpose: bool = True, to: str = "enc") -> Network:
    net = Network()
    net.layer("linear", net.input("x", (4,)), units=2, name="enc")
    dec = net.layer("linear", "enc", units=units, name="dec", tied_to=to, transpose=transpose)
    if units != 4:
        net.loss = net.layer("squared_error", dec, "x")
    return net


def vectors(build: Callable[[Any], Any]) -> Network:
    net = Network()
    build(net.input("x", (4,)))
    return net


OPTIONS: dict[str, tuple[Callable[[Client], Any], list[str]]] = {
    "wrt is a list": (lambda c: c.gradients(NET, PARAMS, DATA, wrt=["x"]), ['/wrt: expected {"params": True', "got ['x']"]),
    "wrt is a name": (lambda c: c.gradients(NET, PARAMS, DATA, wrt={"data": "x"}), ["/wrt/data: expected True, False or a list of names, as ['x'], got 'x'"]),
    "wrt has a glob": (lambda c: c.gradients(NET, PARAMS, DATA, wrt={"params": ["*.w"]}), ["/wrt/params/0: no parameter matches '*.w'; known: scores.bias"]),
    "wrt has labels": (lambda c: c.gradients(NET, PARAMS, DATA, wrt={"data": ["y"]}), ["input 'y' holds integers: it has no gradient"]),
    "wrt has a key": (lambda c: c.gradients(NET, PARAMS, DATA, wrt={"parameters": True}), ["unknown field 'parameters'; here it is 'params'"]),
    "no reduction": (lambda c: c.gradients(NET, PARAMS, DATA, reduction="none"), ["/reduction: expected 'mean' or 'sum', got 'none'"]),
    "reduction None": (lambda c: c.gradients(NET, PARAMS, DATA, reduction=None), ["/reduction: expected 'mean' or 'sum', got null"]),
    "a value that is not near": (lambda c: c.gradients(NET, PARAMS, DATA, values=["logits"]), ["no node is named 'logits'; known: loss, scores"]),
    "values is a name": (lambda c: c.gradients(NET, PARAMS, DATA, values="scores"), ["/values: expected a list of names, as ['scores'], got 'scores'"]),
    "no such value": (lambda c: c.gradients(NET, PARAMS, DATA, values=["score"]), ["no node is named 'score'; did you mean 'scores'?"]),
    "losses is 1": (lambda c: c.gradients(NET, PARAMS, DATA, losses=1), ["/losses: expected true or false, got 1"]),
    "non_finite ignores": (lambda c: c.gradients(NET, PARAMS, DATA, non_finite="ignore"), ["/non_finite: expected 'error' or 'return', got 'ignore'"]),
    "a cotangent's shape": (lambda c: c.vjp(NET, PARAMS, DATA, {"scores": np.ones(3)}), ["/cotangents/scores: expected shape [2, 3]", "got [3]"]),
    "a cotangent's name": (lambda c: c.vjp(NET, PARAMS, DATA, {"score": X}), ["'score' is no node; did you mean 'scores'?"]),
    "a tangent's shape": (lambda c: c.jvp(NET, PARAMS, DATA, {"x": np.ones(4)}, ["scores"]), ["/tangents/data/x: expected shape [2, 4]", "got [4]"]),
    "no tangent": (lambda c: c.jvp(NET, PARAMS, DATA, {}, ["scores"]), ["/tangents: name at least one parameter or input"]),
    "nested tangents": (lambda c: c.jvp(NET, PARAMS, DATA, {"data": {"x": X}}, ["scores"]), ["/tangents: expected arrays by name, not below params and data"]),
    "a mode": (lambda c: c.jacobian(NET, PARAMS, DATA, ["scores"], mode="rev"), ["/mode: expected 'reverse' or 'forward', got 'rev'"]),
    "outputs is a name": (lambda c: c.jacobian(NET, PARAMS, DATA, "scores"), ["/outputs: expected a list of names, as ['scores'], got 'scores'"]),
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
    "numpy's mean": (lambda c: c.gradients(NET, PARAMS, DATA, reduction=np.mean), ['/reduction: expected "mean" or "sum", got <function mea']),
    "an input as value": (lambda c: c.forward(NET, PARAMS, DATA, ["x"]), ["/values/0: no node is named 'x'; 'x' is an input, whose numbers are in the data"]),
    "a parameter as value": (lambda c: c.forward(NET, PARAMS, DATA, ["scores.bias"]), ["'scores.bias' is a parameter, whose numbers are in the params"]),
    "a node as vector": (lambda c: c.hvp(NET, PARAMS, DATA, {SCORES: np.ones((2, 3))}), ["/vectors/data/scores: the network has no input 'scores'; 'scores' is a node: nodes go into cotangents"]),
    "flat cotangents of hvp": (lambda c: c.hvp(NET, PARAMS, DATA, {"x": X}, cotangents={SCORES: np.ones(2)}), ["/cotangents/scores: expected shape [2, 3], got [2]"]),
    "several cotangents of hvp": (lambda c: c.hvp(NET, PARAMS, DATA, {"x": X}, cotangents={SCORES: np.ones((5, 2, 3))}), ["/cotangents/scores: expected shape [2, 3], got [5, 2, 3]"]),
    "hvp without a loss": (lambda c: c.hvp(tied(), {}, {}, {"x": X}), ["a loss has shape []: set net.loss to a node of shape (), or pass cotangents= by node"]),
    "no loss": (lambda c: c.value_and_grad(tied(), {}, {}), ["a loss has shape []: set net.loss to a node of shape ()"]),
    "a tied parameter": (lambda c: c.vjp(tied(), {"enc.weight": np.ones((2, 4)), "enc.bias": [0, 0], "dec.bias": [0] * 4, "dec.weight": W}, {"x": X}, {"dec": X}), ["/params/dec.weight: node 'dec' is tied, and its weight is 'enc.weight': leave 'dec.weight' out"]),
    "a tie not transposed": (lambda c: c.plan(tied(transpose=False)), ["/network/nodes/1/tied_to", "got weight [4, 2], bias [4]; its matrices fit with transpose: true"]),
    "a tie of another size": (lambda c: c.plan(tied(units=3)), ["/network/nodes/1/tied_to: node 'dec': expected the transposed matrices of 'enc', weight [2, 4], got weight [3, 2]"]),
    "a tie to an input": (lambda c: c.plan(tied(to="x")), ["node 'dec': 'x' is an input; tie to a node, whose parameters are shared"]),
    "first numbers": (lambda c: c.plan(grown()[0].layer("linear", "x", units=2, weight=W).network), ["unknown field 'weight'; the numbers of a parameter go into params, as params['linear1.weight']"]),
    "two vectors": (lambda c: c.plan(vectors(lambda x: x @ x)), ["got shape [4]: 'dot' multiplies vectors"]),
    "torch's batch axis": (lambda c: c.plan(vectors(lambda x: x.sum(axis=1))), ["axis 1 does not exist in shape [4]: the batch is no axis of an example"]),
    "numpy's first column": (lambda c: c.plan(vectors(lambda x: x[:, 0])), ["axis 1 does not exist in shape [4]: the batch is no axis of an example"]),
    "a sparse array": (lambda c: c.forward(NET, PARAMS, DATA | {"x": scipy.sparse.csr_matrix(X)}), ["/data/x: the array is sparse: pass .toarray()"]),
    "params and data swapped": (lambda c: c.value_and_grad(NET, DATA, PARAMS), ["/params: params and data seem to have changed places: the parameters come first"]),
    "a frame": (lambda c: c.forward(NET, PARAMS, SimpleNamespace(columns=["x"])), ["/data: expected a dict of arrays by name ({} for none), as dict(frame), got "]),
    "a list of layers": (lambda c: c.plan([1]), ["/network: expected a Network, a spec as a dict", "got [1]"]),
}  # fmt: skip


@pytest.mark.parametrize("case", OPTIONS)
def test_options(case: str, client: Client) -> None:
    call, words = OPTIONS[case]
    check(lambda: call(client), words)


def grown() -> tuple[Network, Any]:
    net = Network()
    return net, net.input("x", (4, 3))


BUILT: dict[str, tuple[Callable[[Network, Any], Any], list[str]]] = {
    "a mask by keyword": (lambda n, x: n.layer("attention", x, x, x, mask=n.input("mask", (4, 4), "int64")), ["/nodes/0/config/mask: inputs go by position, as in layer(\"attention\", x, x, x, mask); tied_to= shares"]),
    "inputs by keyword": (lambda n, x: n.layer("attention", query=x, key=x, value=x), ['as in layer("attention", x, x, x)']),
    "a weight of a node": (lambda n, x: n.layer("linear", x, units=2, weight=x), ["tied_to= shares the parameters of a node"]),
    "inputs in a list": (lambda n, x: n.layer("concat", [x, x]), ["/nodes/0/inputs/0: expected a handle or a name (pass them one by one: x, x), got [Handle"]),
    "transpose as text": (lambda n, x: n.layer("linear", x, units=2, transpose="no"), ["/nodes/0/transpose: expected True or False, got 'no'"]),
    "shared as text": (lambda n, x: n.input("y", (), shared="no"), ["/inputs/y/shared: expected True or False, got 'no'"]),
    "shared as a number": (lambda n, x: n.input("y", (), shared=1), ["/inputs/y/shared: expected True or False, got 1"]),
    "Keras' batch": (lambda n, x: n.input("y", (None, 10)), ["/inputs/y/shape: expected whole numbers of at least 1: leave the batch out, shape=(10,), got (None, 10)"]),
    "a size of 0": (lambda n, x: n.input("y", (3, 0)), ["/inputs/y/shape: expected whole numbers of at least 1, got (3, 0)"]),
    "a cell that runs again": (lambda n, x: n.input("x", (4, 3)), ["'x' is already the name of an input or a node: a notebook's cell that runs again begins with net = Network()"]),
    "a shape as text": (lambda n, x: n.input("y", "34"), ["/inputs/y/shape: expected sizes of axes"]),
    "no first numbers": (lambda n, x: n.parameter("w", (3,)), ["/inputs/w/parameter: expected one of normal=, uniform= and constant=, got {}"]),
    "two kinds of first numbers": (lambda n, x: n.parameter("w", (3,), normal=1, constant=0), ["expected one of normal=, uniform= and constant="]),
    "one glob": (lambda n, x: n.regularize(1e-3, "*.weight"), ["/regularization/parameters: expected a list of names, as ['*.weight'], got '*.weight'"]),
}  # fmt: skip


@pytest.mark.parametrize("case", BUILT)
def test_building(case: str) -> None:
    build, words = BUILT[case]
    check(lambda: build(*grown()), words)


BAD = {"x": np.where(np.arange(8)[:, None] == 5, np.nan, np.ones((8, 4))), "y": np.arange(8) % 3}
LABELS = {"x": np.ones((8, 4)), "y": np.where(np.arange(8) == 6, 9, 0)}
TRAINING: dict[str, tuple[Callable[[Client, dict[str, Any]], Any], list[str]]] = {
    "epochs as text": (lambda c, p: optim.fit(c, NET, p, DATA, optim.adam(), epochs="3"), ["/epochs: expected a whole number of at least 1, or an iterable", "got '3'"]),
    "no epoch": (lambda c, p: optim.fit(c, NET, p, DATA, optim.adam(), epochs=0), ["/epochs: expected a whole number of at least 1", "got 0"]),
    "epochs below 0": (lambda c, p: optim.fit(c, NET, p, DATA, optim.adam(), epochs=-1), ["/epochs: expected a whole number of at least 1", "got -1"]),
    "a float of epochs": (lambda c, p: optim.fit(c, NET, p, DATA, optim.adam(), epochs=2.0), ["/epochs: expected a whole number of at least 1", "got 2.0"]),
    "no batch": (lambda c, p: optim.fit(c, NET, p, DATA, optim.adam(), batch_size=0), ["/batch_size: expected a whole number of at least 1, got 0"]),
    "one glob": (lambda c, p: optim.fit(c, NET, p, DATA, optim.adam(), parameters="scores.*"), ["/parameters: expected a list of names, as ['scores.*']"]),
    "shared is a name": (lambda c, p: optim.batches(DATA, 2, shared="x"), ["/shared: expected a list of names, as ['x'], got 'x'"]),
    "an optimizer's function": (lambda c, p: optim.fit(c, NET, p, DATA, optim.adam), ["/optimizer: expected an optimizer, as optim.adam(1e-3), or an object with step(params, gradients), in fit(client, net, params, data, optimizer)"]),
    "an optimizer's class": (lambda c, p: optim.fit(c, NET, p, DATA, optim.Optimizer), ["/optimizer: expected an optimizer, as optim.adam(1e-3), or an object"]),
    "an optimizer's name": (lambda c, p: optim.fit(c, NET, p, DATA, "adam"), ["/optimizer: expected an optimizer, as optim.adam(1e-3)", "got 'adam'"]),
    "a rate": (lambda c, p: optim.fit(c, NET, p, DATA, 0.01), ["/optimizer: expected an optimizer, as optim.adam(1e-3)", "got 0.01"]),
    "the network first": (lambda c, p: optim.fit(NET, c, p, DATA, optim.adam()), ["/client: expected a Client first, as in fit(client, net, params, data, optimizer), got Network"]),
    "data before params": (lambda c, p: optim.fit(c, NET, DATA, p, optim.adam()), ["/params: params and data seem to have changed places"]),
    "an optimizer too early": (lambda c, p: optim.fit(c, NET, optim.adam(), p, DATA), ["/params: expected a dict of arrays by name, as in fit(client, net, params, data, optimizer), got Optimizer"]),
    "NaN": (lambda c, p: optim.fit(c, NET, p, BAD, optim.adam(), batch_size=2), ["/data/x: 'x' holds a number that is not finite: nan in example 5, at [0] (epoch 1, step "]),
    "a label": (lambda c, p: optim.fit(c, NET, p, LABELS, optim.adam(), batch_size=3), ["/data/y/6: input 'y': expected integers from 0 to 2, got 9 in example 6 (epoch 1, step "]),
    "divergence": (lambda c, p: optim.fit(c, NET, p, {"x": X * 1e150, "y": [0, 1]}, optim.sgd(1e100), epochs=3), ["(epoch 2, step 1): the training diverged: a smaller learning_rate, or clip_norm=1.0 of the optimizer, may help"]),
    "a rate as text": (lambda c, p: optim.sgd("0.1"), ["/learning_rate: expected a number, got '0.1'"]),
    "parameters first": (lambda c, p: optim.sgd(p), ["/learning_rate: expected a number first, for step(params, gradients) takes the parameters"]),
}  # fmt: skip


@pytest.mark.parametrize("case", TRAINING)
def test_training(case: str, client: Client) -> None:
    call, words = TRAINING[case]
    params = {name: array.copy() for name, array in PARAMS.items()}
    check(lambda: call(client, params), words)


RELU = {"inputs": {"x": {"shape": [4]}}, "nodes": [{"kind": "relu"}]}
SPECS: dict[str, tuple[Any, list[str]]] = {
    "empty": ({}, ["/network/inputs: the field is missing: expected an object", "/network/nodes: the field is missing: expected a list of objects"]),
    "nodes by name": (RELU | {"nodes": {"a": 1}}, ["/network/nodes: expected a list of objects", "got {'a': 1}"]),
    "no nodes": (RELU | {"nodes": []}, ["/network/nodes: expected a list of objects, not empty, got []"]),
    "inputs in a list": (RELU | {"inputs": ["x"]}, ['/network/inputs: expected an object such as {"x": {"shape": [4]}}, got [\'x\']']),
    "a size": (RELU | {"inputs": {"x": {"shape": 4}}}, ["/network/inputs/x/shape: expected a list of whole numbers of at least 1, got 4"]),
    "Keras' batch": (RELU | {"inputs": {"x": {"shape": [None, 4]}}}, ["expected a list of whole numbers of at least 1, got [null, 4]"]),
    "a bare shape": (RELU | {"inputs": {"x": [4]}}, ['/network/inputs/x: expected an object such as {"shape": [4]}, got [4]']),
    "no shape": (RELU | {"inputs": {"x": {}}}, ["/network/inputs/x/shape: the field is missing: expected a list of whole numbers of at least 1"]),
    "a dtype": (RELU | {"inputs": {"x": {"shape": [4], "dtype": "f4"}}}, ["expected 'float' (the dtype of the request) or 'int64', got 'f4'"]),
    "a type": (RELU | {"nodes": [{"type": "relu"}]}, ["unknown field 'type'; here it is 'kind'", "/network/nodes/0/kind: the field is missing: expected a string"]),
    "layers": (RELU | {"layers": []}, ["unknown field 'layers'; here it is 'nodes'"]),
    "params of a node": (RELU | {"nodes": [{"kind": "linear", "params": {"units": 3}}]}, ["unknown field 'params'; here it is 'config'"]),
    "lambda": (RELU | {"regularization": {"lambda": 1}}, ["unknown field 'lambda'; here it is 'l2'"]),
    "a word": (RELU | {"nodes": ["relu"]}, ['/network/nodes/0: expected an object such as {"kind": "relu"}, got \'relu\'']),
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
    "padding same": ("conv2d", [[1, 8, 8]], {"channels": 3, "kernel": 3, "padding": "same"}, ["/config/padding", "expected a whole number of at least 0, or a list of 2 such numbers or pairs of them, got 'same'"]),
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
    "dropout": ("dropout", [[3]], {"rate": 0.5}, ["'multiply' comes closest: by an input of noise"]),
    "a mask for lstm": ("lstm", [[5, 3]], {"units": 4, "mask": True}, ["for other layers, 'Sequences of different lengths' in docs/python.md shows padding"]),
    "return_sequences": ("lstm", [[5, 3]], {"units": 4, "return_sequences": False}, ["its value is every state, or with last the last one"]),
    "channels last": ("conv2d", [[8, 8, 1]], {"channels": 3, "kernel": 3}, ["the kernel reaches over 3 numbers, but axis -1 has 1; if these are 1 channels, they come first, as in (1, h, w)"]),
    "a small image": ("conv2d", [[1, 2, 8]], {"channels": 3, "kernel": 5, "padding": 1}, ["the kernel reaches over 5 numbers, but axis -2 has 2, 4 with padding"]),
    "bilstm": ("bilstm", [[5, 3]], {"units": 4}, ["'lstm' comes closest: concat the values of two"]),
    "Masking": ("Masking", [[5, 3]], {}, ["is installed; pad sequences to one length, and pick what is real by data"]),
    "packing": ("pack_padded_sequence", [[5, 3]], {}, ["'Sequences of different lengths' in docs/python.md"]),
    "tan": ("tan", [[3]], {}, ["no layer computes it: compute it in the data, or write a layer, as docs/write-a-layer.md shows"]),
    "a kind of nobody's": ("frobnicate", [[3]], {}, ["is installed; GET /v1/layers lists the kinds, and docs/write-a-layer.md shows how to add one"]),
    "one input": ("attention", [[5, 8]], {}, ["expected 3 inputs (query, key, value), and mask if wanted, got 1"]),
    "broadcasting": ("add", [[5, 3], [3]], {}, ["[5, 3], got [3]: nothing broadcasts; repeat an input by reshape and expand"]),
    "no broadcasting": ("add", [[5, 3], [4]], {}, ["[5, 3], got [4]"]),
    "sum's axis": ("sum", [[5, 3]], {"axis": 1}, ["unknown field 'axis'; here it is 'axes'"]),
    "concat's axes": ("concat", [[5, 3], [5, 3]], {"axes": [1]}, ["unknown field 'axes'; here it is 'axis'"]),
    "ReLU6": ("ReLU6", [[3]], {}, ["'clip' comes closest: from 0 to 6"]),
}  # fmt: skip


def test_a_layer_names_the_input_that_one_node_feeds_with_others(service: FlaskClient) -> None:
    inputs = {"x": {"shape": [5, 8]}}
    node = {"name": "n", "kind": "multi_head_attention", "inputs": ["x", "x", "x"], "config": {"heads": 3}}
    words = [
        "node 'n' (multi_head_attention) input 'x' as query: a width of 8 cannot be divided into 3 heads"
    ]
    check_problem(problem(service, {"inputs": inputs, "nodes": [node]}), words)


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
    "a list": ({"json": []}, 'expected an object such as {"network": {…}, "params": {…}, "data": {"x": [[1, 2]]}}, got []'),
    "nothing": ({"data": b"", "content_type": "application/json", "environ_overrides": {"CONTENT_LENGTH": "0"}}, "the body is empty: expected a JSON document"),
    "inputs without data": ({"json": {"network": RELU, "x": [[1, 2, 3, 4]]}}, 'unknown field \'x\'; known: data, deltas, dtype, losses, network, noise_seed, non_finite, params, per_example, reduction, tensors, trace, …; expected an object such as {"network": {…}, "params": {…}, "data": {"x": [[1, 2]]}}'),
    "wrt by name": ({"json": {"network": RELU, "data": {}, "wrt": {"x": True}}}, 'unknown field \'x\'; known: data, params; expected an object such as {"params": true, "data": ["x"]}'),
    "a setting beside kind": ({"json": {"network": RELU | {"nodes": [{"kind": "linear", "units": 3}]}, "data": {}}}, 'a setting of its kind stands in config, as in {"config": {"units": …}}'),
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


ROUTES: dict[str, str] = {
    "/v1/gradient": "there is no such route; did you mean 'gradients'?",
    "/v1/models/m/step": "there is no such route; did you mean 'steps'?",
    "/v1/models/m/predict": "there is no such route; here it is 'forward'",
    "/v1/predict": "there is no such route; here it is 'forward'",
    "/nowhere/at/all": "there is no such route; GET / lists all",
    "/": "the route takes GET",
}


@pytest.mark.parametrize("path", ROUTES)
def test_routes(path: str, service: FlaskClient) -> None:
    answer = service.post(path, json={})
    assert answer.status_code in (404, 405) and ROUTES[path] in answer.json["detail"]
