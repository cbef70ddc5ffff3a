"""How the inputs of a model become examples: dynamic axes, fixed batches, other opsets, and no batch."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deltawire import Client, Refused

pytestmark = pytest.mark.onnx
STREAM = np.random.default_rng(0)
STORED = {
    "W": STREAM.standard_normal((4, 4)).astype(np.float32),
    "one_row": np.array([1, 12]),
    "lstm_W": STREAM.standard_normal((1, 12, 4)).astype(np.float32),
    "lstm_R": STREAM.standard_normal((1, 12, 3)).astype(np.float32),
    "axis_1": np.array([1]),
}


def model_of(body: str, inputs: str, opset: int = 20) -> Any:
    helper = import_module("onnx.numpy_helper")
    model = import_module("onnx.parser").parse_model(
        f'<ir_version: 8, opset_import: ["" : {opset}]> m ({inputs}) => (float y) {{ {body} }}'
    )
    used = {name for node in model.graph.node for name in node.input}
    model.graph.initializer.extend(
        helper.from_array(array, name) for name, array in STORED.items() if name in used
    )
    return model


def from_onnx(model: Any, **options: Any) -> Any:
    return import_module("deltawire.importers.onnx").from_onnx(model, **options)


def reference(model: Any, **feeds: np.ndarray) -> np.ndarray:
    (result,) = import_module("onnx.reference").ReferenceEvaluator(model).run(None, feeds)
    return np.asarray(result)


@pytest.fixture(scope="module")
def client() -> Client:
    return Client()


def computed(client: Client, imported: Any, **data: np.ndarray) -> np.ndarray:
    network, params, constants, outputs = imported
    return np.asarray(client.forward(network, params, constants | data, outputs)[outputs[0]])


@pytest.mark.parametrize("sizes", [{"height": 4, "width": 6}, {"x.2": 4, "x.3": 6}])
def test_dynamic_axes_get_sizes(sizes: dict[str, int], client: Client) -> None:
    model = model_of("y = GlobalAveragePool(x)", "float[batch,3,height,width] x")
    assert from_onnx(model, sizes=sizes, client=client).network.spec()["inputs"]["x"]["shape"] == [3, 4, 6]


@pytest.mark.parametrize(
    "sizes, why",
    [
        ({}, r"input 'x': .*; give sizes=\{'height': …, 'x.3': …\}"),
        ({"height": 4}, r"give sizes=\{'x.3': …\}"),
        ({"depth": 4}, "no input has an axis 'depth'; there are x.0, batch, x.1, x.2, height, x.3"),
        ({"x.1": 4}, "the model's 'x.1' is 3, and 4 is given"),
    ],
)
def test_missing_and_odd_sizes_are_refused(sizes: dict[str, int], why: str) -> None:
    with pytest.raises(Refused, match=why):
        from_onnx(model_of("y = GlobalAveragePool(x)", "float[batch,3,height,?] x"), sizes=sizes)


@pytest.mark.parametrize("body", ["y = MatMul(x, W)", "a = Reshape(x, one_row) \n y = Tanh(a)"])
def test_a_fixed_batch_of_one_is_made_free(body: str, client: Client) -> None:
    model = model_of(body, "float[1,3,4] x")
    x = STREAM.standard_normal((5, 3, 4)).astype(np.float32)
    ours = computed(client, from_onnx(model, client=client), x=x)
    right = np.concatenate([reference(model, x=one[None]) for one in x])
    np.testing.assert_allclose(ours, right, rtol=1e-5, atol=1e-6)


def test_a_model_that_mixes_its_fixed_batch_is_refused_unless_it_is_an_example(client: Client) -> None:
    model = model_of("t = Transpose(x) \n y = MatMul(x, t)", "float[3,4] x")
    with pytest.raises(Refused, match=r"y \(MatMul\): "):
        from_onnx(model, client=client)
    x = STREAM.standard_normal((5, 3, 4)).astype(np.float32)
    ours = computed(client, from_onnx(model, batched=False, client=client), x=x)
    np.testing.assert_allclose(ours, x @ x.transpose(0, 2, 1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("moved", ["y = Transpose(x)", "y = Transpose <perm = [1, 0]> (x)"])
def test_outputs_of_a_fixed_batch_stay_where_they_are(moved: str) -> None:
    with pytest.raises(Refused, match="output 'y': has the batch on axis 1"):
        from_onnx(model_of(moved, "float[3,4] x"))


def test_inputs_of_different_leading_sizes_have_no_batch() -> None:
    model = model_of("y = MatMul(x, z)", "float[3,2,4] x, float[5,4,2] z")
    with pytest.raises(Refused, match="leading axes of the sizes 3, 5: batched=False"):
        from_onnx(model)


def test_a_dynamic_batch_may_be_behind_the_leading_axis(client: Client) -> None:
    model = model_of(
        "a = LSTM <hidden_size = 3> (x, lstm_W, lstm_R) \n y = Squeeze(a, axis_1)", "float[6,N,4] x"
    )
    imported = from_onnx(model, client=client)
    x = STREAM.standard_normal((5, 6, 4)).astype(np.float32)
    right = reference(model, x=x.transpose(1, 0, 2)).transpose(1, 0, 2)
    np.testing.assert_allclose(computed(client, imported, x=x), right, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("opset", [7, 9, 11, 12])
def test_older_opsets_are_converted(opset: int, client: Client) -> None:
    model = model_of("a = Softmax <axis = 1> (x) \n y = Squeeze <axes = [2]> (a)", "float[N,3,1] x", opset)
    x = STREAM.standard_normal((5, 3, 1)).astype(np.float32)
    ours = computed(client, from_onnx(model, client=client), x=x)
    np.testing.assert_allclose(ours, reference(model, x=x), rtol=1e-5, atol=1e-6)


def test_the_page_lists_the_operators_that_are_read() -> None:
    operators = import_module("deltawire.importers.onnx.operators").OPERATORS
    page = (Path(__file__).parents[4] / "docs" / "importers.md").read_text()
    table = page.partition("### Operators")[2].partition("###")[0]
    rows = [line for line in table.splitlines() if line.startswith("|")]
    assert sorted(re.findall(r"`(\w+)`", "\n".join(rows))) == sorted(operators)
