"""Numbers that a model adds and multiplies become `affine` layers, with torch's and ONNX's own numbers."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from deltawire import Client

X = np.random.default_rng(0).standard_normal((5, 4)) + 3.0

Layers = list[tuple[str, dict[str, float]]]


def affine(**config: float) -> tuple[str, dict[str, float]]:
    return "affine", config


CASES: dict[str, tuple[Callable[[Any, Any], Any], Layers]] = {
    # of torch and x, and the layers it becomes
    "x * 2 + 1": (lambda t, x: x * 2 + 1, [affine(scale=2.0, shift=1.0)]),
    "1 - x": (lambda t, x: 1 - x, [affine(scale=-1.0, shift=1.0)]),
    "x / 3 - 2": (lambda t, x: x / 3 - 2, [affine(scale=1 / 3, shift=-2.0)]),
    "3 - 2 * x": (lambda t, x: 3 - 2 * x, [affine(scale=-2.0, shift=3.0)]),
    "-1 * (2 * x + 1)": (lambda t, x: -1 * (2 * x + 1), [affine(scale=-2.0, shift=-1.0)]),
    "a tensor of one number": (lambda t, x: x * t.tensor([2.0]).double(), [affine(scale=2.0)]),
    "torch.sub": (lambda t, x: t.sub(x, 0.5), [affine(shift=-0.5)]),
    "in place": (lambda t, x: x.clone().mul_(2).add_(1), [affine(scale=2.0, shift=1.0)]),
    "nothing": (lambda t, x: x * 1 + 0, [("identity", {})]),
    # The roundings of two operations stay those of torch.
    "(x - 1e8) * 1e8": (lambda t, x: (x - 1e8) * 1e8, [affine(shift=-1e8), affine(scale=1e8)]),
    "(x + 1e20) - 1e20": (lambda t, x: (x + 1e20) - 1e20, [affine(shift=1e20), affine(shift=-1e20)]),
    "between two layers": (
        lambda t, x: (x.exp() * 2 + 1).log(),
        [("exp", {}), affine(scale=2.0, shift=1.0), ("log", {})],
    ),
    "of use in between": (
        lambda t, x: (lambda y: (y.tanh(), y + 1))(x * 2),
        [affine(scale=2.0), ("tanh", {}), affine(scale=2.0, shift=1.0)],
    ),
    "an output in between": (
        lambda t, x: (lambda y: (y, 1 - y))(x * 2),
        [affine(scale=2.0), affine(scale=-2.0, shift=1.0)],
    ),
    "a number over x is no affine function": (lambda t, x: 3 / x, [("divide", {})]),
    "numbers of their own": (lambda t, x: x * 2 + t.arange(4.0).double(), [affine(scale=2.0), ("add", {})]),
}


@pytest.fixture(scope="module")
def client() -> Client:
    return Client()


def layers(network: Any) -> Layers:
    return [(node["kind"], node.get("config", {})) for node in network.spec()["nodes"]]


@pytest.mark.torch
@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_are_those_of_torch(name: str, client: Client) -> None:
    torch: Any = pytest.importorskip("torch")
    function, expected = CASES[name]

    class Module(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return function(torch, x)

    importer = import_module("deltawire.importers.torch_fx")
    x = torch.tensor(X, requires_grad=True)
    network, params, constants, outputs = importer.from_torch(Module(), x.detach(), client=client)
    assert layers(network) == expected and params == {}

    results = Module()(x)
    results = results if isinstance(results, tuple) else (results,)
    data = constants | {"x": X}
    values = client.forward(network, params, data, outputs)
    cotangents = {name: np.random.default_rng(1).standard_normal(values[name].shape) for name in outputs}
    pulled = client.vjp(network, params, data, cotangents, wrt={"params": False, "data": ["x"]})
    total = sum(
        (result * torch.tensor(cotangents[output])).sum()
        for output, result in zip(outputs, results, strict=True)
    )
    (gradient,) = torch.autograd.grad(total, x)
    for output, result in zip(outputs, results, strict=True):
        np.testing.assert_allclose(values[output], result.detach().numpy(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(pulled["x"], gradient.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.torch
@pytest.mark.parametrize("number", [1e-310, 0.0, float("inf")])
def test_a_number_that_no_config_can_hold_stays_an_input(number: float) -> None:
    torch: Any = pytest.importorskip("torch")

    class Module(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return x / number if number < 1 else x * number

    importer = import_module("deltawire.importers.torch_fx")
    network, _, constants, _ = importer.from_torch(Module(), torch.ones(2, 4).double(), check=False)
    assert layers(network) == [("divide" if number < 1 else "multiply", {})] and len(constants) == 1


@pytest.mark.torch
def test_a_learned_number_is_no_constant() -> None:
    torch: Any = pytest.importorskip("torch")
    importer = import_module("deltawire.importers.torch_fx")

    class Module(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("three", torch.tensor(3.0))
            self.weight = torch.nn.Parameter(torch.ones(4))

        def forward(self, x: Any) -> Any:
            return x * self.weight + self.three

    network, params, constants, _ = importer.from_torch(Module(), torch.ones(2, 4))
    assert layers(network) == [("scale", {}), affine(shift=3.0)]
    assert len(params) == 1 and constants == {}


ONNX: dict[str, tuple[str, Layers]] = {
    "Mul and Add": ("a = Mul(x, two) \n y = Add(a, one)", [affine(scale=2.0, shift=1.0)]),
    "a constant first": ("y = Sub(one, x)", [affine(scale=-1.0, shift=1.0)]),
    "Div": ("a = Div(x, two) \n y = Sub(a, one)", [affine(scale=0.5, shift=-1.0)]),
    "of an operator": ("c = Constant<value_float = 3.0>() \n y = Mul(c, x)", [affine(scale=3.0)]),
    "also as an exponent": (
        "a = Pow(x, two) \n y = Mul(a, two)",
        [("power", {"exponent": 2.0}), affine(scale=2.0)],
    ),
    "four numbers are learned": ("a = Mul(x, two) \n y = Add(a, four)", [affine(scale=2.0), ("shift", {})]),
}


@pytest.mark.onnx
@pytest.mark.parametrize("name", ONNX)
def test_numbers_are_those_of_onnx(name: str, client: Client) -> None:
    onnx: Any = pytest.importorskip("onnx")
    parser, reference = import_module("onnx.parser"), import_module("onnx.reference")
    importer = import_module("deltawire.importers.onnx")
    body, expected = ONNX[name]
    stored = {"one": np.array(1.0), "two": np.array([2.0]), "four": np.arange(4.0)}
    text = f'<ir_version: 9, opset_import: ["" : 20]> m (double[N,4] x) => (double y) {{ {body} }}'
    model = parser.parse_model(text.replace("value_float = 3.0", "value = double {3.0}"))
    used = {each for node in model.graph.node for each in node.input}
    model.graph.initializer.extend(
        onnx.numpy_helper.from_array(array, key) for key, array in stored.items() if key in used
    )
    network, params, constants, outputs = importer.from_onnx(model, client=client)
    assert layers(network) == expected and constants == {}
    (theirs,) = reference.ReferenceEvaluator(model).run(None, {"x": X})
    values = client.forward(network, params, constants | {"x": X}, outputs)
    np.testing.assert_allclose(values[outputs[0]], theirs, rtol=1e-10)
