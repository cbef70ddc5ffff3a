"""Kinds of ONNX models that came out wrong or crashed: ONNX's own numbers now, or refused by name."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltawire import Client, Refused

pytestmark = pytest.mark.onnx
STREAM = np.random.default_rng(0)
W, K = STREAM.standard_normal((4, 4)), STREAM.standard_normal((2, 1, 3, 3))
STORED: dict[str, Any] = {
    "W": W.astype(np.float32), "V": W[:, :3].astype(np.float32), "b": W[0, :3].astype(np.float32),
    "column": W[0, :3, None].astype(np.float32), "v": W[1].astype(np.float32), "K": K.astype(np.float32),
    "positive": np.abs(W[2]).astype(np.float32), "places": np.arange(3), "back": np.array([-1, 0, 1]),
    "last_two": np.array([1, 2]), "half": np.float32(0.5), "three": np.float32(3),
    "yes": np.array(True), "no": np.array(False),
}  # fmt: skip


def model_of(body: str, inputs: str = "float[N,4] x", outputs: str = "float y", opset: int = 20) -> Any:
    parser, helper = import_module("onnx.parser"), import_module("onnx.numpy_helper")
    model = parser.parse_model(
        f'<ir_version: 9, opset_import: ["" : {opset}, "com.microsoft" : 1]> '
        f"m ({inputs}) => ({outputs}) {{ {body} }}"
    )
    used = {name for node in model.graph.node for name in node.input}
    declared = {slot.name for slot in model.graph.input}
    for name, array in STORED.items():
        if name in used and name not in declared:
            model.graph.initializer.append(helper.from_array(np.asarray(array), name))
    return model


def imported(model: Any, **options: Any) -> Any:
    return import_module("deltawire.importers.onnx").from_onnx(model, **options)


def agrees(model: Any, data: dict[str, np.ndarray], client: Client) -> Any:
    """The import, once its outputs have been found to be those of ONNX's reference."""
    result = imported(model, client=client)
    network, params, constants, outputs = result
    used = {name for node in network.spec()["nodes"] for name in node["inputs"]}
    sent = {name: array for name, array in (constants | data).items() if name in used}
    values = client.forward(network, params, sent, list(dict.fromkeys(outputs)))
    expected = import_module("onnx.reference").ReferenceEvaluator(model).run(None, data)
    for name, right in zip(outputs, expected, strict=True):
        assert values[name].dtype == right.dtype
        np.testing.assert_allclose(values[name], right, rtol=1e-4, atol=1e-5)
    return result


@pytest.fixture(scope="module")
def client() -> Client:
    return Client()


X = {"x": STREAM.standard_normal((3, 4)).astype(np.float32)}
SQUARES = {"x": X["x"] ** 2}
ROWS = {"x": STREAM.standard_normal((2, 3, 4)).astype(np.float32)}
IMAGE = {"x": STREAM.standard_normal((2, 1, 4, 4)).astype(np.float32)}
INDEX = {"i": np.array([[0, 1, 2], [3, 0, 1]])}
THREE = "float[N,3,4] x"

RIGHT: dict[str, tuple[str, str, dict[str, np.ndarray], int, int]] = {
    # body, inputs, data, parameters, constants
    "two layouts": ("a = MatMul(x, W) \n y = Gemm <transB = 1> (a, W)", "float[N,4] x", X, 1, 0),
    "two layouts, by Transpose": (
        "a = MatMul(x, W) \n t = Transpose <perm = [1, 0]> (W) \n y = MatMul(a, t)",
        "float[N,4] x",
        X,
        1,
        0,
    ),
    "one layout, twice": ("a = MatMul(x, W) \n y = MatMul(a, W)", "float[N,4] x", X, 1, 0),
    "rows, and their transposed product": (
        "a = Gather(W, i) \n t = Transpose <perm = [1, 0]> (W) \n y = MatMul(a, t)",
        "int64[N,3] i",
        INDEX,
        1,
        0,
    ),
    "a scale that is the offset too": ("y = LayerNormalization(x, v, v)", "float[N,4] x", X, 0, 1),
    "added and multiplied": ("a = Add(x, v) \n y = Mul(a, v)", "float[N,4] x", X, 0, 1),
    "added twice": ("a = Add(x, v) \n t = Tanh(a) \n y = Add(t, v)", "float[N,4] x", X, 1, 0),
    "an exponent that is added": ("a = Pow(x, half) \n y = Add(a, half)", "float[N,4] x", SQUARES, 0, 0),
    "a column is no bias": ("a = MatMul(x, V) \n y = Add(a, column)", THREE, ROWS, 1, 1),
    "computed from a weight": ("e = Exp(W) \n y = MatMul(x, e)", THREE, ROWS, 0, 1),
    "a weight under another name": (
        "k = Identity(K) \n a = Conv(x, K) \n c = Conv(x, k) \n y = Add(a, c)",
        "float[N,1,4,4] x",
        IMAGE,
        1,
        0,
    ),
    "positions": ("p = Gather(W, places) \n y = Add(x, p)", THREE, ROWS, 1, 1),
    "positions from the end": ("p = Gather(W, back) \n y = Mul(p, x)", THREE, ROWS, 1, 1),
    "rectifiers": (
        "a = Clip(x, half, three) \n h = HardSigmoid <alpha = 0.3, beta = 0.1> (x) \n s = HardSwish(x) \n "
        "y = Sum(a, h, s)",
        THREE,
        ROWS,
        0,
        0,
    ),
    "functions": (
        "a = Abs(x) \n c = Cos(x) \n s = Sin(a) \n e = Erf(x) \n m = Mish(x) \n "
        'g = Gelu <approximate = "tanh"> (x) \n y = Sum(c, s, e, m, g)',
        THREE,
        ROWS,
        0,
        0,
    ),
    "a running sum": ("one = Constant <value_int = 2> () \n y = CumSum(x, one)", THREE, ROWS, 0, 0),
    "repeated": (
        "s = Constant <value_ints = [1, 3, 4]> () \n c = Constant <value_ints = [1]> () \n "
        "m = ReduceSum(x, c) \n y = Expand(m, s)",
        THREE,
        ROWS,
        0,
        0,
    ),
    "a mean of what is inside": (
        "y = AveragePool <kernel_shape = [2, 2], pads = [1, 1, 1, 1]> (x)",
        "float[N,1,4,4] x",
        IMAGE,
        0,
        0,
    ),
    "gaps, and a last window": (
        "y = MaxPool <kernel_shape = [2, 2], strides = [2, 2], dilations = [2, 2], ceil_mode = 1> (x)",
        "float[N,1,4,4] x",
        IMAGE,
        0,
        0,
    ),
    "a line": ("y = MaxPool <kernel_shape = [2]> (x)", THREE, ROWS, 0, 0),
    "rows computed with": ("p = Gather(W, places) \n e = Exp(p) \n y = Add(x, e)", THREE, ROWS, 1, 1),
    "stretched": (
        "c = Constant <value_ints = [2]> () \n s = ReduceSum(x, c) \n y = Mul(x, s)",
        THREE,
        ROWS,
        0,
        0,
    ),
    "rows that no layer learns": (
        "p = Gather(W, places) \n e = Sinh(p) \n y = Add(x, e)",
        THREE,
        ROWS,
        0,
        1,
    ),
    "ties": ("y = ReduceMax <keepdims = 0> (x, last_two)", THREE, ROWS, 0, 0),
    "constants of several": ("a = Max(x, v) \n y = Sum(a, v, x)", "float[N,4] x", X, 0, 1),
    "an optional input left out": ("a = Dropout(x, , no) \n y = Neg(a)", "float[N,4] x", X, 0, 0),
    "training mode of a constant": ("d = Dropout(v, half, no) \n y = Add(x, d)", "float[N,4] x", X, 1, 0),
}


@pytest.mark.parametrize("name", RIGHT)
def test_numbers_are_onnxs_and_nothing_is_learned_twice(name: str, client: Client) -> None:
    body, inputs, data, parameters, constants = RIGHT[name]
    result = agrees(model_of(body, inputs), data, client)
    assert (len(result.params), len(result.constants)) == (parameters, constants)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "indices": (
        {
            "body": "y, i = MaxPool <kernel_shape = [2, 2]> (x)",
            "inputs": "float[N,1,4,4] x",
            "outputs": "float y, int64 i",
        },
        r"output 'i': output 1 of y \(MaxPool\)",
    ),
    "a mask": ({"body": "y, m = Dropout(x) \n z = Neg(y)", "outputs": "float z, bool m"}, "output 'm'"),
    "a draw": ({"body": "r = RandomNormal <shape = [4]> () \n y = Add(x, r)"}, r"^r \(RandomNormal\): draws"),
    "a draw with a seed": (
        {"body": "r = RandomUniform <shape = [4], seed = 1.0> () \n y = Add(x, r)"},
        r"^r \(RandomUniform\): draws",
    ),
    "a draw of what is stored": (
        {"body": "r = Bernoulli(positive) \n y = Add(x, r)"},
        r"^r \(Bernoulli\): draws",
    ),
    "a dropped constant": (
        {"body": "r = Dropout(v, half, yes) \n y = Add(x, r)"},
        r"^r \(Dropout\): draws",
    ),
    "a conv by an input": (
        {"body": "y = Conv(x, K)", "inputs": "float[N,1,4,4] x, float[2,1,3,3] K"},
        r"^y \(Conv\): expected what the model has stored as weight, got 'K'",
    ),
    "axes as an input": (
        {"body": "y = ReduceSum(x, a)", "inputs": "float[N,4] x, int64[1] a"},
        r"^y \(ReduceSum\): expected .* as axes",
    ),
    "sizes as an input": (
        {
            "body": "y, z = Split <axis = 1> (x, s)",
            "inputs": "float[N,4] x, int64[2] s",
            "outputs": "float y, float z",
        },
        r"^y \(Split\): ",
    ),
    "a norm of what is stored": (
        {"body": "y = LayerNormalization(W, w, v)", "inputs": "float[4] w"},
        r"^y \(LayerNormalization\): expected what other nodes compute as x, got the stored 'W'",
    ),
    "a branch": (
        {
            "body": "y = If (c) <then_branch = t () => (float o) { o = Neg(x) }, "
            "else_branch = e () => (float p) { p = Abs(x) }>",
            "inputs": "float[N,4] x, bool[N] c",
        },
        r"^y \(If\): has a graph of its own, '(then|else)_branch'",
    ),
    "another domain": (
        {"body": "r = com.microsoft.Gelu(v) \n y = Mul(x, r)"},
        r"^r \(Gelu\): .* domain 'com.microsoft'",
    ),
    "another domain, computed": (
        {"body": "y = com.microsoft.Gelu(x)"},
        r"^y \(Gelu\): .* domain 'com.microsoft'",
    ),
    "a sequence": (
        {"body": "q = SequenceConstruct(v, b) \n y = Neg(x)"},
        r"^q \(SequenceConstruct\): makes no tensor",
    ),
    "learned in a place of its own": (
        {"body": "k = Exp(K) \n y = Conv(x, k)", "inputs": "float[N,1,4,4] x"},
        "would learn 'k', which is no parameter",
    ),
    "an attribute": (
        {"body": "y = LpNormalization <p = 3> (x)"},
        r"^y \(LpNormalization\): p=3: ",
    ),
    "an opset that removed it": (
        {
            "body": "y = GroupNormalization <num_groups = 1> (x, half, half)",
            "inputs": "float[N,2,4] x",
            "opset": 18,
        },
        "the model: ValidationError: Op registered for GroupNormalization is deprecated",
    ),
    "half precision": (
        {"body": "y = Add(x, x)", "inputs": "float16[N,4] x", "outputs": "float16 y"},
        "the model's numbers are of float16",
    ),
}


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("name", REFUSED)
def test_what_no_layer_does_is_refused_by_name(name: str, check: bool) -> None:
    given, message = REFUSED[name]
    with pytest.raises(Refused, match=message) as refused:
        imported(model_of(**given), check=check)
    assert refused.value.code == "not_expressible"


@pytest.mark.parametrize("operator", ["Add", "Sub", "Mul", "Div"])
@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "uint16", "int32", "int64", "uint32", "uint64"])
def test_whole_numbers_are_not_computed_as_floats(operator: str, kind: str) -> None:
    model = model_of(f"y = {operator}(x, x)", f"{kind}[N,1] x", f"{kind} y")
    with pytest.raises(Refused, match=rf"^y \({operator}\): "):
        imported(model, check=False)


def test_a_double_model_stays_double(client: Client) -> None:
    model = model_of("k = Constant <value = double {0.1}> () \n y = Mul(x, k)", "double[N,4] x", "double y")
    result = agrees(model, {"x": np.ones((2, 4)) / 3}, client)
    assert all(array.dtype == np.float64 for array in result.constants.values())


def test_models_without_the_default_opset_are_refused_by_operator() -> None:
    helper = import_module("onnx.helper")
    node = helper.make_node("Scaler", ["x"], ["y"], domain="ai.onnx.ml", offset=[0.0], scale=[2.0])
    slots = [helper.make_tensor_value_info(name, 1, ["N", 4]) for name in "xy"]
    graph = helper.make_graph([node], "g", slots[:1], slots[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("ai.onnx.ml", 3)])
    with pytest.raises(Refused, match="Scaler of ai.onnx.ml"):
        imported(model)


def test_files_that_are_no_models_are_refused(tmp_path: Path) -> None:
    onnx = import_module("onnx")
    path = tmp_path / "bad.onnx"
    path.write_bytes(b"\x08garbage")
    with pytest.raises(Refused, match="the model: DecodeError") as refused:
        imported(path)
    assert refused.value.__cause__ is not None
    with pytest.raises(FileNotFoundError):
        imported(tmp_path / "missing.onnx")
    for odd in (onnx.ModelProto(), None, 3):
        with pytest.raises(Refused, match="the model"):
            imported(odd)


def test_numbers_kept_outside_a_model_are_read_or_refused(tmp_path: Path, client: Client) -> None:
    onnx = import_module("onnx")
    model = model_of("y = MatMul(x, W)")
    onnx.save(
        model, tmp_path / "model.onnx", save_as_external_data=True, location="numbers.bin", size_threshold=0
    )
    assert list(imported(tmp_path / "model.onnx", client=client).params) == ["y.weight"]
    (tmp_path / "numbers.bin").unlink()
    with pytest.raises((Refused, FileNotFoundError)):
        imported(tmp_path / "model.onnx")


def test_an_initializer_that_is_an_input_too_is_stored(client: Client) -> None:
    model = model_of("y = Add(x, v)", "float[N,4] x, float[4] v")
    model.graph.initializer.append(import_module("onnx.numpy_helper").from_array(STORED["v"], "v"))
    result = imported(model, client=client)
    assert list(result.params) == ["v.bias"] and list(result.network.spec()["inputs"]) == ["x"]


def test_operators_that_draw_numbers_are_those_of_onnx() -> None:
    defs = import_module("onnx.defs")
    random = import_module("deltawire.importers.onnx.constants").RANDOM
    with_graphs = {"If", "Loop", "Scan", "SequenceMap"}  # refused for their graphs
    flagged = {
        schema.name
        for schema in defs.get_all_schemas_with_history()
        if schema.domain == "" and str(schema.node_determinism).endswith("NonDeterministic")
    }
    assert flagged - with_graphs - {"AffineGrid"} == random
