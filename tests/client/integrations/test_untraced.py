"""torch.compile around calls of a client: the results of eager mode, or a refusal by torch at once."""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from deltawire import Client, Network

pytestmark = [
    pytest.mark.torch,
    # torch's own tracer reads .grad of what it is passed.
    pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf"),
]

NET = Network()
NET.layer("linear", NET.input("x", (2,)), units=2, name="h")
NET.loss = NET.layer("sum", NET.layer("tanh", "h"))
CLIENT = Client()
PARAMS = CLIENT.init(NET, dtype="float32")


@pytest.fixture
def torch() -> Any:
    module = import_module("torch")
    module.manual_seed(0)
    module.compiler.reset()
    return module


def remote() -> Any:
    from deltawire.integrations.torch import RemoteNetwork

    return RemoteNetwork(NET, PARAMS, outputs=["h"], client=CLIENT)


def test_a_compiled_function_may_call_a_client(torch: Any) -> None:
    def loss(x: Any) -> Any:
        numbers = (x * 2).numpy()
        value, gradients = CLIENT.value_and_grad(NET, PARAMS, {"x": numbers})
        return torch.tensor(value) + torch.from_numpy(gradients["h.weight"]).sum()

    x = torch.randn(3, 2)
    assert torch.compile(loss, backend="eager")(x) == loss(x)
    torch.compiler.reset()
    with pytest.raises(torch._dynamo.exc.Unsupported, match="deltawire sends a request"):
        torch.compile(loss, backend="eager", fullgraph=True)(x)


def test_a_compiled_function_of_numpy_may_call_a_client(torch: Any) -> None:
    def doubled(x: Any) -> Any:
        return 2 * CLIENT.forward(NET, PARAMS, {"x": x + 1}, ["h"])["h"]

    x = np.ones((3, 2), np.float32)
    np.testing.assert_array_equal(torch.compile(doubled, backend="eager")(x), doubled(x))


def test_a_compiled_step_of_training_has_the_gradients_of_eager_mode(torch: Any) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), remote(), torch.nn.Linear(2, 1))
    x = torch.randn(4, 2)

    def step(model: Any) -> Any:
        loss = model(x).square().mean()
        loss.backward()
        return loss

    eager, compiled = copy.deepcopy(model), copy.deepcopy(model)
    torch.testing.assert_close(torch.compile(step, backend="eager")(compiled), step(eager))
    for ours, theirs in zip(compiled.parameters(), eager.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)
    torch.compiler.reset()
    with pytest.raises(torch._dynamo.exc.Unsupported, match="deltawire sends a request"):
        torch.compile(model, backend="eager", fullgraph=True)(x)


def saved(model: Any) -> Any:
    torch = import_module("torch")
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


@pytest.mark.parametrize("make", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model)), saved])
def test_a_copy_of_a_module_computes_and_learns_by_itself(make: Callable[[Any], Any], torch: Any) -> None:
    model, x = remote(), torch.randn(3, 2)
    copied = make(model)
    torch.testing.assert_close(copied(x), model(x))
    with torch.no_grad():
        copied.get_submodule("h").bias += 1
    torch.testing.assert_close(copied(x), model(x) + 1)


WITHOUT_COMPILE = """
import sys, torch
import deltawire.integrations.torch
from deltawire import Client
Client().limits()
print("torch._dynamo" in sys.modules)
"""


def test_who_compiles_nothing_does_not_wait_for_the_compiler() -> None:
    run = subprocess.run([sys.executable, "-c", WITHOUT_COMPILE], capture_output=True, text=True, timeout=120)
    assert run.stdout == "False\n", run.stderr
