"""ONNX models written by hand: the numbers of ONNX's own reference, or a refusal that names the node."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from deltawire import Client, Refused

pytestmark = pytest.mark.onnx

# Inputs x (4,), m (2, 6), i (3) in 0 to 4, image (2, 6, 8); initializers W (4, 3), V (3, 4), b (3,),
# E (5, 2), K (3, 2, 3, 3), c (2, 6), two (), g (2,), and whole numbers named after what they hold.
MODELS: dict[str, str] = {
    "a stack": "h = Gemm(x, W, b) \n a = Tanh(h) \n y = Gemm <transB = 1> (x, V)",
    "a bias of its own": "h = MatMul(x, W) \n a = Add(h, b) \n y = Softmax(a)",
    "a bias first": "h = MatMul(x, W) \n y = Add(b, h)",
    "a product used twice": "h = MatMul(x, W) \n a = Add(h, b) \n y = Mul(h, a)",
    "numbers": "a = Mul(m, two) \n d = Sub(two, a) \n e = Div(d, two) \n p = Pow(e, two) \n y = Add(p, c)",
    "one to learn": "a = Mul(c, m) \n y = Max(a, m, m)",
    "rows": "y = Gather(E, i)",
    "a place": "y = Gather <axis = 2> (m, minus_one)",
    "slices": "y = Slice(m, ends_0_1, ends_2_5, ends_1_2)",
    "parts": "a, d = Split <axis = 2, num_outputs = 2> (m) \n y = Concat <axis = -1> (d, a)",
    "axes": "a = Unsqueeze(m, axis_1) \n d = Squeeze(a, axis_1) \n e = Transpose <perm = [0, 2, 1]> (d) \n "
    "y = Flatten(e)",
    "a computed shape": "s = Shape(m) \n n = Gather(s, zero) \n u = Unsqueeze(n, zeros) \n "
    "t = Concat <axis = 0> (u, sizes_3_4) \n y = Reshape(m, t)",
    "reductions": "a = ReduceMean <keepdims = 0> (m, axis_2) \n d = ReduceMax(m, axis_2) \n "
    "e = Squeeze(d, axis_2) \n "
    "f = ReduceSum(m, axis_2) \n g2 = Squeeze(f, axis_2) \n y = Sum(a, e, g2)",
    "a softmax along another axis": "y = LogSoftmax <axis = 1> (m)",
    "an image": "a = Conv <pads = [1, 0, 1, 0], strides = [2, 1]> (image, K) \n d = Relu(a) \n "
    "e = MaxPool <kernel_shape = [2, 2], strides = [1, 1]> (d) \n f = GlobalAveragePool(e) \n y = Flatten(f)",
    "norms": "a = InstanceNormalization(image, g, g) \n d = AveragePool <kernel_shape = [2, 2]> (a) \n "
    "y = BatchNormalization(d, g, g, g, g)",
    "uneven padding": "y = Conv <pads = [1, 0, 0, 0]> (image, K)",
    "a scaled product": "y = Gemm <alpha = 2.0> (x, W)",
    "an input": "y = Dropout(x)",
    "nothing dropped": "a = Dropout(x) \n y = LeakyRelu <alpha = 0.2> (a)",
    "constants made of constants": "n = Neg(b) \n o = Exp(n) \n h = MatMul(x, W) \n a = Mul(h, o) \n "
    "y = Elu(a)",
}  # fmt: skip

INEXPRESSIBLE: dict[str, tuple[str, str]] = {
    "two operators": ("a = Ceil(x) \n y = Atan(a)", "a (Ceil): no layer does this"),
    "all that is wrong": (
        "a = Ceil(x) \n d = Atan(x) \n y = Add(a, d)",
        "(Ceil): no layer does this; d (Atan)",
    ),
    "the batch's mean": (
        "a = ReduceMean(x, zeros) \n y = Sub(x, a)",
        "a (ReduceMean): works along the batch",
    ),
    "everything's": ("a = ReduceSum(x) \n y = Sub(x, a)", "a (ReduceSum): reduces the batch too"),
    "its size": (
        "s = Shape(x) \n f = Cast <to = 1> (s) \n n = Gather(f, zero) \n y = Mul(x, n)",
        "number of examples",
    ),
    "a volume": ("y = GlobalAveragePool(x)", "y (GlobalAveragePool): pools 0 axes"),
}  # fmt: skip


def model_of(body: str, opset: int = 20, batch: str = "N") -> Any:
    onnx = import_module("onnx.parser")
    helper = import_module("onnx.numpy_helper")
    outputs = "float y"
    model = onnx.parse_model(
        f'<ir_version: 9, opset_import: ["" : {opset}]> model (float[{batch}, 4] x, float[{batch}, 2, 6] m, '
        f"int64[{batch}, 3] i, float[{batch}, 2, 6, 8] image) => ({outputs}) {{ {body} }}"
    )
    for name, array in initializers().items():
        model.graph.initializer.append(helper.from_array(array, name))
    return model


def initializers() -> dict[str, np.ndarray]:
    stream = np.random.default_rng(0)
    shapes = {"W": (4, 3), "V": (3, 4), "b": (3,), "E": (5, 2), "K": (3, 2, 3, 3), "c": (2, 6), "g": (2,)}
    floats = {name: stream.uniform(0.5, 1.5, shape).astype(np.float32) for name, shape in shapes.items()}
    whole = {
        "zero": 0, "minus_one": -1, "zeros": [0], "axis_1": [1], "axis_2": [2], "ends_0": [0], "ends_1": [1],
        "ends_0_1": [0, 1], "ends_2_5": [2, 5], "ends_1_2": [1, 2], "sizes_3_4": [3, 4],
    }  # fmt: skip
    return floats | {"two": np.float32(2)} | {name: np.array(x, np.int64) for name, x in whole.items()}


def data() -> dict[str, np.ndarray]:
    stream = np.random.default_rng(1)
    floats = {"x": (3, 4), "m": (3, 2, 6), "image": (3, 2, 6, 8)}
    made = {name: stream.standard_normal(shape).astype(np.float32) for name, shape in floats.items()}
    return made | {"i": stream.integers(0, 5, (3, 3))}


def from_onnx(model: Any) -> Any:
    return import_module("deltawire.importers.onnx").from_onnx(model)


@pytest.fixture(scope="module")
def client() -> Client:
    return Client()


@pytest.mark.parametrize("name", MODELS)
def test_values_are_those_of_the_reference(name: str, client: Client) -> None:
    model = model_of(MODELS[name])
    (theirs,) = import_module("onnx.reference").ReferenceEvaluator(model).run(None, data())
    network, params, constants, outputs = from_onnx(model)
    used = {name for node in network.spec()["nodes"] for name in node["inputs"]}
    asked = {name: array for name, array in data().items() if name in used}
    values = client.forward(network, params, constants | asked, outputs)
    np.testing.assert_allclose(values[outputs[0]], theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "name, kinds",
    [
        ("a bias of its own", ["linear", "softmax"]),
        ("a product used twice", ["linear", "shift", "multiply"]),
        ("one to learn", ["scale", "maximum", "maximum"]),
        ("rows", ["embedding"]),
        ("a computed shape", ["reshape"]),
    ],
)
def test_layers_are_found_in_operators(name: str, kinds: list[str]) -> None:
    assert [node["kind"] for node in from_onnx(model_of(MODELS[name])).network.spec()["nodes"]] == kinds


@pytest.mark.parametrize("name", INEXPRESSIBLE)
def test_what_no_layer_does_is_refused_by_name(name: str) -> None:
    body, told = INEXPRESSIBLE[name]
    with pytest.raises(Refused) as refused:
        from_onnx(model_of(body))
    assert refused.value.code == "not_expressible"
    assert told in str(refused.value)


def test_models_of_two_examples_are_refused(tmp_path: Any) -> None:
    helper = import_module("onnx.numpy_helper")
    fixed = model_of("y = Reshape(m, sizes)", batch="2")
    fixed.graph.initializer.append(helper.from_array(np.array([2, 12]), "sizes"))
    with pytest.raises(Refused, match=r"y \(Reshape\): .* batches of 5 and 7 gave \[2, 12\]"):
        from_onnx(fixed)
    fixed = model_of("y = Add(x, two_rows)", batch="2")
    fixed.graph.initializer.append(helper.from_array(np.ones((2, 4), np.float32), "two_rows"))
    with pytest.raises(Refused, match="does not take batches of 5: export it with a dynamic batch axis"):
        from_onnx(fixed)
    path = tmp_path / "model.onnx"
    import_module("onnx").save(model_of("y = Relu(x)"), path)
    assert from_onnx(path).outputs == ("y",)


@pytest.mark.parametrize("odd", ["float16", "float64"])
def test_numbers_of_another_dtype_than_most_are_refused_by_name(odd: str) -> None:
    helper = import_module("onnx.helper")
    tensor = import_module("onnx.numpy_helper").from_array(np.ones((3, 4), odd), "odd")
    for place in (0, 20):  # the first of them, or the last
        model = model_of("y = Gemm(x, W, b) \n h = Gemm <transB = 1> (o, odd)")
        model.graph.input.append(helper.make_tensor_value_info("o", tensor.data_type, ["N", 4]))
        model.graph.initializer.insert(place, tensor)
        with pytest.raises(Refused, match=f"takes input 'o', which is of {odd}, other numbers of the model"):
            from_onnx(model)


def test_names_are_kept_and_noted(client: Client) -> None:
    model = model_of("h = Gemm <transB = 1> (x, W, b) \n y = Relu(h)")
    model.graph.node[0].input[1:] = ["body.0.weight", "body.0.bias"]
    helper = import_module("onnx.numpy_helper")
    for name, shape in {"body.0.weight": (3, 4), "body.0.bias": (3,)}.items():
        model.graph.initializer.append(helper.from_array(np.ones(shape, np.float32), name))
    network, params, _, _ = from_onnx(model)
    assert list(params) == ["body_0.weight", "body_0.bias"]
    assert all(array.flags.writeable for array in params.values())
    assert network.metadata["params/body_0.weight"] == "body.0.weight"
    client.plan(network)
