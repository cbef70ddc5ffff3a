"""Every ONNX operator that is read: the numbers of ONNX's own reference, with and without a batch."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from deltawire import Client, Refused

pytestmark = pytest.mark.onnx
STREAM = np.random.default_rng(0)


def floats(*shape: int) -> np.ndarray:
    return STREAM.uniform(0.5, 1.5, shape).astype(np.float32)


STORED: dict[str, Any] = {
    "W": floats(4, 4), "w": floats(4), "channels": floats(3), "slopes": floats(3, 1, 1), "W2": floats(3, 4),
    "kernel": floats(2, 3, 3, 3), "spread": floats(3, 2, 3, 3), "half": np.float32(0.5),
    "lstm_W": floats(2, 12, 4), "lstm_R": floats(2, 12, 3), "lstm_B": floats(2, 24), "gru_W": floats(1, 9, 4),
    "lstm_one_W": floats(1, 12, 4), "lstm_one_R": floats(1, 12, 3),
    "gru_R": floats(1, 9, 3), "gru_B": floats(1, 18), "rnn_W": floats(1, 3, 4), "rnn_R": floats(1, 3, 3),
    "first": np.zeros((1, 1, 3), np.float32), "axis_1": np.array([1]), "axis_2": np.array([2]),
    "one": np.array(1), "zero_two": np.array([0, 2]), "mask": np.array([True, False, True, True]),
    "back": np.array([-1]), "far": np.array([-(2**40)]), "step_2": np.array([-2]),
    "twice": np.array([1, 1, 2]), "pads": np.array([0, 1, 2, 0, 0, 1]), "uneven": np.array([1, 3]),
    "all_or_none": np.array([4, 0]),
    "scales": np.array([1, 1, 2, 2], np.float32), "places": np.array([[2, 0, 2, 1]]),
    "pairs": np.array([[0, 1], [2, 0]]), "labels": np.array([1, 0, 2]), "many": floats(9),
    "weights": np.array([0.5, 2, 1], np.float32), "exponents": np.array([2.0, 3, 1, 3], np.float32),
    "whole": STREAM.integers(-9, 9, (4, 4)).astype(np.int8),
}  # fmt: skip

IMAGE = "float[N,3,6,6] x"
ROWS = "float[N,3,4] x"
ALONE = "float[3,4] x"

RIGHT: dict[str, tuple[str, str]] = {
    # operator and variant: body, inputs
    "Selu": ("y = Selu(x)", ROWS),
    "Clip, by bounds that cross": ("c = Constant <value_float = 0.2> () \n y = Clip(x, half, c)", ROWS),
    "AveragePool, by wide zeros": (
        "y = AveragePool <kernel_shape = [3, 3], pads = [2, 2, 2, 2], count_include_pad = 1> (x)", IMAGE,
    ),
    "Clip, by a number that is computed": ("a = ReduceMean <keepdims = 0> (x) \n y = Clip(x, a)", ALONE),
    "Celu": ("y = Celu <alpha = 0.7> (x)", ROWS),
    "PRelu, one": ("y = PRelu(x, half)", ROWS),
    "PRelu, channels": ("y = PRelu(x, slopes)", IMAGE),
    "PRelu, numbers": ("y = PRelu(x, w)", ROWS),
    "Swish": ("y = Swish <alpha = 1.5> (x)", ROWS),
    "Softsign": ("y = Softsign(x)", ROWS),
    "Cast": ("a = Cast <to = 1> (x) \n y = Neg(a)", ROWS),
    "Mean": ("a = Neg(x) \n y = Mean(x, a, w)", ROWS),
    "Where": ("a = Neg(x) \n y = Where(mask, x, a)", ROWS),
    "Gemm, scaled": ("y = Gemm <alpha = 0.5, beta = 2.0> (x, W, w)", "float[N,4] x"),
    "Gemm, of a run": ("y = Gemm <transA = 1> (x, x)", ALONE),
    "MatMul, rows of a run": ("t = Transpose(x) \n y = MatMul(x, t)", ALONE),
    "MatMul, a vector": ("y = MatMul(x, w)", ALONE),
    "MatMul, repeated": ("y = MatMul(x, x2)", "float[N,2,3,4] x, float[N,1,4,5] x2"),
    "Einsum": ('y = Einsum <equation = "bij,bkj->bik"> (x, x)', ROWS),
    "Einsum, an ellipsis": ('y = Einsum <equation = "...j,jk->...k"> (x, W)', ROWS),
    "Einsum, of a run": ('y = Einsum <equation = "ij->ji"> (x)', ALONE),
    "Transpose, and back": (
        "a = Transpose <perm = [1, 0, 2]> (x) \n b = Softmax(a) \n y = Transpose <perm = [1, 0, 2]> (b)",
        ROWS,
    ),
    "Split": ("a, b = Split <axis = 2> (x, uneven) \n y = Concat <axis = 2> (b, a)", ROWS),
    "Split, nothing left": (
        "a, b = Split <axis = 2> (x, all_or_none) \n y = Concat <axis = 2> (b, a)", ROWS,
    ),
    "Slice, backwards": ("y = Slice(x, back, far, axis_2, step_2)", ROWS),
    "Slice, the whole batch": (
        "s = Shape <start = 0, end = 1> (x) \n z = Constant <value_ints = [0]> () \n y = Slice(x, z, s, z)",
        ROWS,
    ),
    "Tile": ("y = Tile(x, twice)", ROWS),
    "Pad": ("y = Pad(x, pads, half)", ROWS),
    "Pad, edge": ('y = Pad <mode = "edge"> (x, pads)', ROWS),
    "DepthToSpace, DCR": ("y = DepthToSpace <blocksize = 2> (x)", "float[N,8,2,3] x"),
    "DepthToSpace, CRD": ('y = DepthToSpace <blocksize = 2, mode = "CRD"> (x)', "float[N,8,2,3] x"),
    "nothing left": (
        "a = Slice(x, axis_2, axis_2, axis_2) \n b = Concat <axis = 2> (x, a) \n y = Neg(b)", ROWS,
    ),
    "SpaceToDepth": ("y = SpaceToDepth <blocksize = 2> (x)", IMAGE),
    "Trilu": ("y = Trilu <upper = 0> (x, one)", ROWS),
    "Gather, places": ("y = Gather <axis = 2> (x, zero_two)", ROWS),
    "Gather, of a table that is used elsewhere": (
        "a = Gather(W, i) \n b = Mul(W, W) \n c = MatMul(a, b) \n y = Add(c, w)", "int64[N,2] i",
    ),
    "GatherElements": ("y = GatherElements <axis = 0> (x, places)", ALONE),
    "GatherND": ("y = GatherND(x, pairs)", ALONE),
    "ReduceL1": ("y = ReduceL1(x, axis_2)", ROWS),
    "ReduceL2": ("y = ReduceL2 <keepdims = 0> (x, axis_2)", ROWS),
    "ReduceLogSum": ("a = Abs(x) \n y = ReduceLogSum(a, axis_1)", ROWS),
    "ReduceLogSumExp": ("y = ReduceLogSumExp(x, axis_1)", ROWS),
    "ReduceSumSquare": ("y = ReduceSumSquare(x, axis_1)", ROWS),
    "ReduceMin": ("y = ReduceMin(x, axis_1)", ROWS),
    "ReduceMax, of a run": ("y = ReduceMax <keepdims = 0> (x)", ALONE),
    "CumSum, in reverse": ("y = CumSum <exclusive = 1, reverse = 1> (x, one)", ROWS),
    "CumSum, of one place": (
        "a = ReduceSum(x, axis_1) \n b = CumSum <exclusive = 1> (a, one) \n c = CumSum <reverse = 1> (a, one)"
        " \n y = Add(b, c)",
        ROWS,
    ),
    "CumSum, of one place in reverse": (
        "a = ReduceSum(x, axis_1) \n b = CumSum <exclusive = 1, reverse = 1> (a, one) \n y = Add(a, b)", ROWS,
    ),
    "LpNormalization": ("y = LpNormalization <axis = 1> (x)", ROWS),
    "Pow": ("a = Abs(x) \n y = Pow(a, exponents)", ROWS),
    "CastLike": ("a = CastLike(x, w) \n y = Neg(a)", ROWS),
    "volumes": (
        "a = MaxPool <kernel_shape = [2, 3, 2], strides = [1, 2, 1], pads = [0, 1, 0, 1, 0, 0]> (x) \n "
        "y = AveragePool <kernel_shape = [2, 1, 2], ceil_mode = 1, pads = [1, 0, 0, 0, 0, 1]> (a)",
        "float[N,2,3,6,4] x",
    ),
    "a batch that moves": ("y = Transpose <perm = [1, 2, 0]> (x)", ROWS),
    "RMSNormalization": ("y = RMSNormalization <axis = 1> (x, W2)", ROWS),
    "GroupNormalization": ("y = GroupNormalization <num_groups = 1> (x, channels, channels)", IMAGE),
    "InstanceNormalization": ("y = InstanceNormalization(x, channels, channels)", IMAGE),
    "Conv, uneven": ('y = Conv <auto_pad = "SAME_LOWER", strides = [2, 2]> (x, kernel)', IMAGE),
    "ConvTranspose": (
        "y = ConvTranspose <strides = [2, 2], pads = [0, 1, 1, 0], output_padding = [1, 0]> (x, spread)",
        IMAGE,
    ),
    "ConvTranspose, a shape": (
        "y = ConvTranspose <strides = [3, 2], output_shape = [10, 8]> (x, spread)", "float[N,3,3,3] x",
    ),
    "MaxPool": ("y = MaxPool <kernel_shape = [3, 2], ceil_mode = 1, strides = [2, 2]> (x)", IMAGE),
    "AveragePool": ("y = AveragePool <kernel_shape = [2, 2], pads = [1, 0, 0, 1]> (x)", IMAGE),
    "GlobalMaxPool": ("y = GlobalMaxPool(x)", "float[N,3,4,2] x"),
    "GlobalAveragePool": ("y = GlobalAveragePool(x)", "float[N,3,2,2,2] x"),
    "Resize, nearest": (
        'y = Resize <nearest_mode = "floor", coordinate_transformation_mode = "asymmetric"> (x, , scales)',
        IMAGE,
    ),
    "Resize, cubic": ('y = Resize <mode = "cubic"> (x, , scales)', IMAGE),
    "Resize, linear": ('y = Resize <mode = "linear"> (x, , scales)', IMAGE),
    "LSTM": (
        't = Transpose <perm = [1, 0, 2]> (x) \n a, b = LSTM <hidden_size = 3, direction = "bidirectional"> '
        "(t, lstm_W, lstm_R, lstm_B) \n s = Transpose <perm = [2, 0, 1, 3]> (a) \n f = Flatten(s) \n "
        "e = Transpose <perm = [1, 0, 2]> (b) \n g = Flatten(e) \n y = Concat <axis = 1> (f, g)", ROWS,
    ),
    "LSTM, its last cell": (
        "a, b, c = LSTM <hidden_size = 3, layout = 1> (x, lstm_one_W, lstm_one_R) \n y = Add(b, c)", ROWS,
    ),
    "GRU": (
        "a, y = GRU <hidden_size = 3, linear_before_reset = 1, layout = 1> (x, gru_W, gru_R, gru_B)", ROWS,
    ),
    "RNN": (
        't = Transpose <perm = [1, 0, 2]> (x) \n a = RNN <hidden_size = 3, direction = "reverse"> '
        "(t, rnn_W, rnn_R, , , first) \n b = Squeeze(a, axis_1) \n y = Transpose <perm = [1, 0, 2]> (b)",
        ROWS,
    ),
    "SoftmaxCrossEntropyLoss": ("y = SoftmaxCrossEntropyLoss(x, labels)", "float[3,4] x"),
    "SoftmaxCrossEntropyLoss, of each": (
        'y = SoftmaxCrossEntropyLoss <reduction = "none"> (x, i)', "float[N,4] x, int64[N] i",
    ),
    "NegativeLogLikelihoodLoss": (
        "a = LogSoftmax(x) \n y = NegativeLogLikelihoodLoss <ignore_index = 0> (a, i, weights)",
        "float[2,3] x, int64[2] i",
    ),
    "an operator that others define": ("y = MeanVarianceNormalization <axes = [1, 2]> (x)", ROWS),
    "means of a norm": ("a, b = LayerNormalization(x, w, w) \n y = Mul(a, b)", ROWS),
    "a known branch": (
        "c = Constant <value_int = 1> () \n d = Cast <to = 9> (c) \n y = If (d) <then_branch = t () => "
        "(float o) { o = Neg(x) }, else_branch = e () => (float p) { p = Abs(x) }>", ROWS,
    ),
    "a state of zeros": (
        "s = Shape <start = 0, end = 1> (x) \n m = Constant <value_ints = [1]> () \n "
        "n = Concat <axis = 0> (s, m, m) \n z = ConstantOfShape(n) \n y = Add(x, z)", ROWS,
    ),
    "weights of few bits": (
        "q = DequantizeLinear(whole, half) \n y = MatMul(x, q)", ROWS,
    ),
}  # fmt: skip


def model_of(body: str, inputs: str, opset: int = 24) -> Any:
    parser, helper = import_module("onnx.parser"), import_module("onnx.numpy_helper")
    model = parser.parse_model(
        f'<ir_version: 11, opset_import: ["" : {opset}]> m ({inputs}) => (float y) {{ {body} }}'
    )
    used = {name for node in model.graph.node for name in node.input}
    for name, array in STORED.items():
        if name in used:
            model.graph.initializer.append(helper.from_array(np.asarray(array), name))
    return model


def from_onnx(model: Any, **options: Any) -> Any:
    return import_module("deltawire.importers.onnx").from_onnx(model, **options)


@pytest.fixture(scope="module")
def client() -> Client:
    return Client()


def agrees(model: Any, client: Client, **options: Any) -> Any:
    """Return the import, once its outputs have been found to be those of ONNX's reference."""
    imported = from_onnx(model, client=client, **options)
    network, params, constants, outputs = imported
    stream, feeds, data = np.random.default_rng(1), {}, {}
    batched = options.get("batched", True)
    for slot in model.graph.input:
        shape = [dim.dim_value or 2 for dim in slot.type.tensor_type.shape.dim]
        whole = slot.type.tensor_type.elem_type == 7
        array = stream.integers(0, 3, shape) if whole else stream.standard_normal(shape).astype(np.float32)
        feeds[slot.name] = array
        data[slot.name] = array if batched else array[None]
    with np.errstate(all="ignore"):
        (right,) = import_module("onnx.reference").ReferenceEvaluator(model).run(None, feeds)
    if batched and right.shape[0] != 2:
        right = np.moveaxis(right, right.shape.index(2), 0)
    ours = client.forward(network, params, constants | data, outputs)[outputs[0]]
    np.testing.assert_allclose(ours if batched else ours[0], right, rtol=1e-4, atol=1e-5)
    return imported


@pytest.mark.parametrize("name", RIGHT)
def test_numbers_are_those_of_the_reference(name: str, client: Client) -> None:
    body, inputs = RIGHT[name]
    agrees(model_of(body, inputs), client, batched="N" in inputs)


@pytest.mark.parametrize("name", RIGHT)
def test_a_run_of_the_model_may_be_an_example(name: str, client: Client) -> None:
    body, inputs = RIGHT[name]
    agrees(model_of(body, inputs.replace("N", "1")), client, batched=False)


REFUSED: dict[str, tuple[str, str, str]] = {
    "a reset before the product": (
        "a, y = GRU <hidden_size = 3, layout = 1> (x, gru_W, gru_R, gru_B)", ROWS,
        r"\(GRU\): linear_before_reset=0",
    ),
    "a clipped state": (
        "a, y = LSTM <hidden_size = 3, layout = 1, clip = 1.0> (x, gru_W, gru_R)", ROWS, r"\(LSTM\): clip",
    ),
    "a sum over the batch": ('y = Einsum <equation = "bij->ij"> (x)', ROWS, r"\(Einsum\): "),
    "places of the batch": ("y = Gather(x, zero_two)", ROWS, r"y \(Gather\): works along the batch"),
    "examples mixed": (
        "s = Constant <value_ints = [3, -1, 4]> () \n y = Reshape(x, s)", ROWS, r"y \(Reshape\): ",
    ),
    "a loss of the batch": (
        "y = SoftmaxCrossEntropyLoss(x, i)", "float[N,4] x, int64[N] i", r"\(SoftmaxCrossEntropyLoss\): ",
    ),
    "a crop": (
        'y = Resize <coordinate_transformation_mode = "tf_crop_and_resize"> (x, , scales)', IMAGE,
        r"\(Resize\): crops",
    ),
    "too many exponents": ("y = Pow(x, many)", "float[N,9] x", r"y \(Pow\): has 9 exponents"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_layer_does_is_refused_by_name(name: str) -> None:
    body, inputs, why = REFUSED[name]
    with pytest.raises(Refused, match=why) as refused:
        from_onnx(model_of(body, inputs))
    assert refused.value.code == "not_expressible"


@pytest.mark.torch
@pytest.mark.parametrize("batched", [True, False])
def test_norms_that_the_reference_has_otherwise_are_torchs(batched: bool, client: Client) -> None:
    torch = import_module("torch")
    x = STREAM.standard_normal((1 if not batched else 2, 5, 4, 3)).astype(np.float32)
    dims = f"float[{'N' if batched else 1},5,4,3] x"
    tensor, data = torch.tensor(x), x if batched else x[None]
    for body, right in (
        ("y = LRN <size = 3, alpha = 0.3, bias = 2.0> (x)",
         torch.nn.functional.local_response_norm(tensor, 3, 0.3, 0.75, 2.0)),
        ("y = LpNormalization <axis = 1, p = 1> (x)", torch.nn.functional.normalize(tensor, 1, 1)),
    ):  # fmt: skip
        network, params, constants, outputs = from_onnx(model_of(body, dims), batched=batched, client=client)
        ours = client.forward(network, params, constants | {"x": data}, outputs)[outputs[0]]
        np.testing.assert_allclose(ours if batched else ours[0], right.numpy(), rtol=1e-5, atol=1e-6)
