"""From torch to ONNX by way of a network: what ONNX's own reference computes is what torch does."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest

from deltawire import Client

pytestmark = [pytest.mark.torch, pytest.mark.onnx]


@pytest.fixture(scope="module")
def client() -> Client:
    return Client()


@pytest.mark.parametrize(
    "name", ["plain", "image classifier", "encoder", "recurrent", "transformer", "functions"]
)
def test_the_numbers_are_those_of_torch(name: str, client: Client) -> None:
    import_module("torch").manual_seed(0)
    make, examples = import_module("support.torch_modules").MODULES[name]
    module, batch = make().eval(), examples()
    network, params, constants, outputs = import_module("deltawire.importers.torch_fx").from_torch(
        module, *batch
    )
    to_onnx = import_module("deltawire.exporters.onnx").to_onnx
    model = to_onnx(network, params, constants, outputs, client=client)
    inputs = [slot.name for slot in model.graph.input]
    data = dict(zip(inputs, (example.numpy() for example in batch), strict=True))
    found = module(*batch)
    expected = found if isinstance(found, list | tuple) else [found]
    computed = import_module("onnx.reference").ReferenceEvaluator(model).run(None, data)
    for ours, theirs in zip(computed, expected, strict=True):
        theirs = theirs.detach().numpy()
        np.testing.assert_allclose(ours, theirs, atol=1e-6 * max(1, np.abs(theirs).max()), rtol=0)
