"""Every kind as an ONNX model: the numbers of ONNX's own reference, and the same network imported again."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest
from support.layers import BUILT_IN
from support.onnx_cases import CASES, batch_of, network_of

from deltawire import Client, Network, Refused

pytestmark = pytest.mark.onnx
SEVERAL_NODES = {  # kinds ONNX writes as other operators: imported again, they are other layers
    "absolute_error", "focal", "gaussian_nll", "poisson_nll", "smooth_l1", "triplet",
    "attention", "binary_nll", "cosine_distance", "dot", "dropout_mask", "elman", "gru", "huber",
    "kl_divergence", "lstm", "max_margin", "multi_head_attention", "nll", "silu", "softmax_nll",
    "squared_error", "variance",
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_max_pool1d", "adaptive_max_pool2d",
    "glu", "roll", "rotary",
}  # fmt: skip

NOT_READ = {"cosine_distance", "dropout_mask", "kl_divergence", "masked_fill", "nll", "softmax_nll", "where"}
"""Kinds whose operators from_onnx does not take: they compare numbers, or compute with integers."""


@pytest.fixture(scope="module")
def client() -> Client:
    return Client()


def to_onnx(*arguments: Any, **options: Any) -> Any:
    return import_module("deltawire.exporters.onnx").to_onnx(*arguments, **options)


def from_onnx(model: Any) -> Any:
    return import_module("deltawire.importers.onnx").from_onnx(model)


def run(model: Any, data: dict[str, np.ndarray]) -> Any:
    """What ONNX's own reference computes."""
    with np.errstate(all="ignore"):
        return import_module("onnx.reference").ReferenceEvaluator(model).run(None, data)


def test_every_kind_is_tried() -> None:
    import_module("deltawire.exporters.onnx")
    kinds = import_module("deltawire.exporters.onnx_kinds").KINDS
    assert set(kinds) == set(BUILT_IN) == {kind for kind, _, _ in CASES} | {"batch_norm", "take"}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind, config, shapes", CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)])
def test_every_kind_comes_and_goes(
    kind: str, config: dict[str, Any], shapes: list[Any], dtype: str, client: Client
) -> None:
    stream = np.random.default_rng(0)
    net = network_of(kind, config, shapes)
    params = {
        name: array + stream.uniform(-0.3, 0.3, array.shape).astype(dtype)
        for name, array in client.init(net, dtype=dtype).items()
    }
    data = batch_of(shapes, stream, dtype)
    model = to_onnx(net, params, dtype=dtype)
    (theirs,) = run(model, data)
    ours = client.forward(net, params, data, ["layer"])["layer"]
    within = 1e-6 if dtype == "float32" else 1e-7  # attributes of ONNX (eps, alpha) are of float32 always
    assert theirs.dtype == ours.dtype == dtype
    np.testing.assert_allclose(ours, theirs, rtol=within, atol=within * max(1, np.abs(theirs).max()))

    if kind in NOT_READ:
        return
    again = from_onnx(model)
    there = client.forward(again.network, again.params, again.constants | data, again.outputs)
    np.testing.assert_allclose(there[again.outputs[0]], ours, rtol=within, atol=within)
    lists = isinstance(config.get("shift"), list)  # they come back as data of two nodes
    several = lists or kind in SEVERAL_NODES or (kind == "log" and config)
    if not several and config.get("affine", True) and shapes != [()]:
        assert [node["kind"] for node in again.network.spec()["nodes"]][-1] in (kind, "reshape", "flatten")
        assert again.params.keys() == params.keys()
        assert all(np.array_equal(again.params[name], params[name]) for name in params)


def test_the_import_finds_what_was_exported(client: Client) -> None:
    net = Network()
    x, skip = net.input("x", (2, 8, 8)), net.input("skip", (3,))
    mean, var = net.input("mean", (4,), constant=True), net.input("var", (4,), constant=True)
    y = net.layer("conv2d", x, channels=4, kernel=3, name="conv")
    y = net.layer("relu", net.layer("batch_norm", y, mean, var, name="norm"), name="active")
    y = net.layer("flatten", net.layer("max_pool2d", y, kernel=2, name="pool"), name="flat")
    first = net.layer("linear", y, units=3, name="first")
    second = net.layer("linear", y, units=3, name="second", tied_to=first)
    net.layer("softmax", net.layer("add", first, second, skip, name="sum"), name="out")
    stream = np.random.default_rng(1)
    params = client.init(net, dtype="float32")
    data = {"x": stream.standard_normal((5, 2, 8, 8)), "skip": stream.standard_normal((5, 3))}
    data = {name: array.astype(np.float32) for name, array in data.items()}
    statistics = {"mean": np.arange(4.0), "var": np.arange(1.0, 5)}
    statistics = {name: array.astype(np.float32) for name, array in statistics.items()}
    model = to_onnx(net, params, statistics)
    assert [slot.name for slot in model.graph.input] == ["x", "skip"]
    ours = client.forward(net, params, data | statistics, ["out"])["out"]
    np.testing.assert_allclose(run(model, data)[0], ours, atol=1e-6)

    again = from_onnx(model)
    assert again.params.keys() == params.keys() and again.constants.keys() == statistics.keys()
    assert again.outputs == ("out",)
    ids = [client.plan(one)["network_id"] for one in (net, again.network)]
    assert ids[0] == ids[1]


def test_take_is_exported_with_places_for_all(client: Client) -> None:
    net = Network()
    x, index = net.input("x", (3, 4)), net.input("index", (2, 2), dtype="int64", shared=True)
    net.layer("take", x, index, axis=-1, name="out")
    data = {"x": np.random.default_rng(4).standard_normal((5, 3, 4)), "index": np.array([[3, 0], [1, 1]])}
    ours = client.forward(net, {}, data, ["out"])["out"]
    for constants in ({"index": data["index"]}, {}):
        given = {name: array for name, array in data.items() if name not in constants}
        np.testing.assert_array_equal(run(to_onnx(net, {}, constants, dtype="float64"), given)[0], ours)
    apart = Network()
    x, index = apart.input("x", (3,)), apart.input("index", (2,), dtype="int64")
    apart.layer("take", x, index, name="out")
    with pytest.raises(Refused, match="other places of each example"):
        to_onnx(apart, {})


def test_segments_of_different_sizes_are_refused() -> None:
    net = Network()
    net.layer("adaptive_avg_pool1d", net.input("x", (2, 5)), size=3)
    with pytest.raises(Refused, match="ONNX has no windows of different sizes"):
        to_onnx(net, {})


def test_smoothed_labels_are_refused() -> None:
    net = Network()
    net.layer("softmax_nll", net.input("x", (3,)), net.input("y", dtype="int64"), label_smoothing=0.1)
    with pytest.raises(Refused, match="smooths labels"):
        to_onnx(net, {})


def test_relu_is_an_activation_of_rnn(client: Client) -> None:
    """ONNX's reference has no relu in its RNN."""
    net = Network()
    net.layer("elman", net.input("x", (4, 2)), units=3, nonlinearity="relu", name="h")
    (run,) = [node for node in to_onnx(net, client.init(net)).graph.node if node.op_type == "RNN"]
    (activations,) = [each.strings for each in run.attribute if each.name == "activations"]
    assert list(activations) == [b"Relu"]


def learned() -> Network:
    """Learned positions, scale and rows that are put beside those of each example."""
    net = Network()
    x, positions = net.input("x", (3, 4)), net.parameter("positions", (3, 4), normal=0.5)
    marker, scale = net.parameter("marker", (1, 4), normal=0.5), net.parameter("scale", constant=2.0)
    rows = net.layer("concat", net.layer("tanh", marker), (x + positions) * 2 + 1, axis=0, name="rows")
    both = net.layer("matmul", rows, net.parameter("projection", (4, 2), normal=0.5))
    net.layer("identity", both.sum() * scale, name="out")
    return net


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_learned_inputs_become_initializers(dtype: str, client: Client) -> None:
    net, data = learned(), {"x": np.random.default_rng(2).standard_normal((5, 3, 4)).astype(dtype)}
    params = client.init(net, dtype=dtype)
    model = to_onnx(net, params)
    assert [slot.name for slot in model.graph.input] == ["x"]
    assert {"positions", "marker", "scale", "projection"} <= {one.name for one in model.graph.initializer}
    ours = client.forward(net, params, data, ["out"])["out"]
    np.testing.assert_allclose(run(model, data)[0], ours, rtol=1e-5 if dtype == "float32" else 1e-13)


def test_learned_inputs_come_back_as_layers_that_learn(client: Client) -> None:
    net = Network()
    moved = net.input("x", (3, 4)) + net.parameter("positions", (3, 4), normal=0.5)
    net.layer("identity", moved.sum() * net.parameter("scale", constant=2.0), name="out")
    params, data = client.init(net), {"x": np.random.default_rng(3).standard_normal((5, 3, 4))}
    again = from_onnx(to_onnx(net, params))
    assert again.params.keys() == {"positions.bias", "scale.weight"} and again.constants == {}
    there = client.forward(again.network, again.params, data, again.outputs)
    np.testing.assert_allclose(there["out"], client.forward(net, params, data, ["out"])["out"], rtol=1e-13)


@pytest.mark.parametrize("shape", [(), (4,)])
def test_constants_come_back_as_one_layer(shape: tuple[int, ...]) -> None:
    net = Network()
    1 - 2 * net.input("x", shape) + 0.5
    again = from_onnx(to_onnx(net, {}, dtype="float64"))
    kinds = [(node["kind"], node["config"]) for node in again.network.spec()["nodes"]]
    assert kinds == [("affine", {"scale": -2.0, "shift": 1.0}), ("affine", {"shift": 0.5})]
    assert again.params == again.constants == {}


def test_the_scale_of_first_numbers_leaves_no_trace(client: Client) -> None:
    models = []
    for config in ({}, {"init_scale": 0.5}):
        net = Network()
        net.layer("linear", net.input("x", (3,)), units=2, name="f", **config)
        params = {"f.weight": np.ones((2, 3)), "f.bias": np.zeros(2)}
        models.append(to_onnx(net, params).SerializeToString())
    assert models[0] == models[1]


def test_only_what_leads_to_the_outputs_is_written(client: Client) -> None:
    net = Network()
    x, y = net.input("x", (3,)), net.input("y", dtype="int64")
    scores = net.layer("linear", x, units=4, name="scores")
    net.layer("softmax", scores, name="probabilities")
    net.loss = net.layer("softmax_nll", scores, y, name="loss")
    params = client.init(net)
    model = to_onnx(net, params, outputs=["probabilities"])
    assert [slot.name for slot in model.graph.input] == ["x"]
    assert [slot.name for slot in to_onnx(net, params).graph.output] == ["probabilities", "loss"]


def test_what_onnx_has_no_operators_for_is_refused_by_name() -> None:
    net = Network()
    q, mask = net.input("q", (3, 4)), net.input("mask", (3, 3), "int64", shared=True)
    net.layer("attention", q, q, q, mask, name="heard")
    with pytest.raises(Refused, match="node 'heard': has a mask") as refused:
        to_onnx(net, {})
    assert refused.value.code == "not_expressible"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_noise_becomes_its_mean(dtype: str, client: Client) -> None:
    net = Network()
    keep, epsilon = net.noise("keep", (3,), dropout=0.5), net.noise("epsilon", (3,), normal=1.0)
    net.layer("tanh", net.input("x", (3,)) * keep + epsilon, name="y")
    model = to_onnx(net, {}, dtype=dtype)
    assert [each.name for each in model.graph.input] == ["x"]
    x = np.linspace(-1, 1, 6, dtype=dtype).reshape(2, 3)
    (y,) = import_module("onnx.reference").ReferenceEvaluator(model).run(None, {"x": x})
    np.testing.assert_allclose(y, client.forward(net, {}, {"x": x})["y"], rtol=1e-6)
