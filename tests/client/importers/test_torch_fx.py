"""Modules of torch as networks: the same values and gradients, the same names, or a refusal by name."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from deltawire import Client, Network, Refused

pytestmark = pytest.mark.torch
MODULES = [
    "plain",
    "image classifier",
    "encoder",
    "recurrent",
    "transformer",
    "siamese",
    "functions",
    "untraceable",
]
INEXPRESSIBLE = [
    "a module", "two functions", "the batch's mean", "a softmax over it", "its size", "no batch",
    "an example", "an input", "a parameter's", "of a parameter",
    "what was overwritten", "chance", "time first", "a padding row",
    "an argument", "a last state",
]  # fmt: skip


@pytest.fixture(scope="module")
def client() -> Client:
    return Client()


@pytest.fixture
def modules() -> Any:
    """The module of modules, which imports torch."""
    import_module("torch").manual_seed(0)
    return import_module("support.torch_modules")


def imported(module: Any, *examples: Any) -> Any:
    return import_module("deltawire.importers.torch_fx").from_torch(module, *examples)


def state_dict(network: Network, params: Any, constants: Any) -> Any:
    return import_module("deltawire.exporters.torch").to_state_dict(network, params, constants)


def named(network: Network, constants: Any, examples: Any) -> dict[str, np.ndarray]:
    """Examples by the names of the inputs, beside the constants."""
    slots = network.spec()["inputs"]
    inputs = [name for name, slot in slots.items() if name not in constants and "parameter" not in slot]
    return constants | dict(zip(inputs, (example.numpy() for example in examples), strict=True))


def test_every_module_and_every_refusal_is_tried(modules: Any) -> None:
    assert list(modules.MODULES) == MODULES
    assert list(modules.INEXPRESSIBLE) == INEXPRESSIBLE


@pytest.mark.parametrize("name", MODULES)
def test_values_and_gradients_are_those_of_torch(name: str, modules: Any, client: Client) -> None:
    make, examples = modules.MODULES[name]
    module, batch = make().double(), [e.double() if e.is_floating_point() else e for e in examples()]
    network, params, constants, outputs = imported(module, *batch)
    data = named(network, constants, batch)
    found = module.eval()(*batch)
    found = list(found.values()) if isinstance(found, dict) else found
    found = found if isinstance(found, list | tuple) else [found]
    values = client.forward(network, params, data, outputs)
    for output, tensor in zip(outputs, found, strict=True):
        np.testing.assert_allclose(values[output], tensor.detach().numpy(), rtol=1e-11, atol=1e-11)

    # The loss: every number of every output, weighted at random.
    weighted = []
    for output, tensor in zip(outputs, found, strict=True):
        weights = modules.torch.randn(tensor.shape[1:]).double()
        weighted.append((tensor * weights).flatten(1).sum() if tensor.ndim > 1 else (tensor * weights).sum())
        constants[f"weights_{output}"] = weights.numpy()
        weight = network.input(f"weights_{output}", weights.shape, shared=True)
        product = network.layer("multiply", network[output], weight)
        network.layer("sum", product, name=f"total_{output}")
    network.loss = {f"total_{output}": 1.0 for output in outputs}
    sum(weighted).backward()
    _, gradients = client.value_and_grad(network, params, data | constants, reduction="sum")
    state = state_dict(network, gradients, {})
    expected = {name: p.grad for name, p in module.named_parameters(remove_duplicate=False)}
    assert state.keys() == expected.keys()
    for name, gradient in state.items():
        np.testing.assert_allclose(gradient, expected[name], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_in_float32_comes_and_goes(name: str, modules: Any, client: Client) -> None:
    make, examples = modules.MODULES[name]
    module, batch = make().eval(), examples()
    network, params, constants, outputs = imported(module, *batch)
    values = client.forward(network, params, named(network, constants, batch), outputs)
    found = module(*batch)
    found = list(found.values()) if isinstance(found, dict) else found
    for output, tensor in zip(outputs, found if isinstance(found, list | tuple) else [found], strict=True):
        size = max(1.0, float(tensor.detach().abs().max()))
        np.testing.assert_allclose(values[output], tensor.detach().numpy(), atol=1e-6 * size, rtol=0)
        assert values[output].dtype == np.float32

    state, theirs = state_dict(network, params, constants), module.state_dict()
    assert state.keys() == {name for name in theirs if not name.endswith(("num_batches_tracked", "middle"))}
    assert all(modules.torch.equal(state[name], theirs[name]) for name in state)
    make().load_state_dict(state, strict=name in ("plain", "encoder", "recurrent", "transformer", "siamese"))
    assert Network.from_spec(json.loads(json.dumps(network.spec()))).spec() == network.spec()


@pytest.mark.parametrize("name", INEXPRESSIBLE)
def test_what_no_layer_does_is_refused_by_name(name: str, modules: Any) -> None:
    function, told = modules.INEXPRESSIBLE[name]
    with pytest.raises(Refused) as refused:
        imported(modules.Parts(function), modules.torch.randn(2, 4))
    assert refused.value.code == "not_expressible"
    assert told in str(refused.value)


def test_a_module_keeps_its_mode_and_its_statistics(modules: Any) -> None:
    make, examples = modules.MODULES["image classifier"]
    module = make().train()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    module[1].eval()
    imported(module, *examples())
    assert module.training and module[0].training and not module[1].training
    assert all(modules.torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())


def test_names_that_are_taken_or_reserved_stay_apart(modules: Any, client: Client) -> None:
    nn = modules.nn
    module = nn.ModuleDict({"data": nn.Linear(2, 3), "a_b": nn.Linear(3, 2), "a": nn.Sequential()})
    module["a"].add_module("b", nn.Linear(2, 1))
    module.forward = lambda x: module["a"](module["a_b"](module["data"](x)))
    network, params, constants, _ = imported(module, modules.torch.randn(1, 2))
    assert [node["name"] for node in network.spec()["nodes"]] == ["data_1", "a_b", "a_b_1"]
    state = state_dict(network, params, constants)
    assert state.keys() == module.state_dict().keys()
    client.plan(network)


def test_a_network_of_ones_own_has_the_names_of_torch(modules: Any, client: Client) -> None:
    nn = modules.nn
    net = Network()
    x = net.input("x", (5, 8))
    y = net.layer("multi_head_attention", x, x, x, heads=2, name="attend")
    net.layer("gru", y, units=8, name="gru")
    state = state_dict(net, client.init(net), {})
    theirs = nn.ModuleDict({"attend": nn.MultiheadAttention(8, 2), "gru": nn.GRU(8, 8)})
    theirs.load_state_dict(state)


def test_mixed_dtypes_and_no_batch_are_refused(modules: Any) -> None:
    nn, torch = modules.nn, modules.torch
    with pytest.raises(Refused, match="'1.weight' is of bfloat16: convert the module with float"):
        imported(nn.Sequential(nn.ReLU(), nn.Linear(2, 2).bfloat16()), torch.randn(1, 2).bfloat16())
    module = nn.Linear(2, 2)
    module.register_buffer("offset", torch.zeros(2).double())
    with pytest.raises(Refused, match="'offset' is of float64, others of float32"):
        imported(module, torch.randn(1, 2))
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        imported(nn.Linear(2, 2), torch.randn(1, 3))
    with pytest.raises(Refused, match="an example is a batch"):
        imported(nn.ReLU(), torch.tensor(1.0))
