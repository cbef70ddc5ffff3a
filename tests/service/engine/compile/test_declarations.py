"""What layers declare: nonsense and failures name the node."""

from __future__ import annotations

from typing import Any

import pytest
from marshmallow import ValidationError
from support.engine import LAYERS
from support.layers import failing, registry

from deltawire_layers import LayerError, Parameter, Work
from deltawire_layers.initializers import zeros
from deltawire_service.engine import PluginError, compile_network
from deltawire_service.engine.compile import declarations

X = {"x": {"shape": [4]}}


def spec(*nodes: dict[str, Any], inputs: dict[str, Any] = X, **more: Any) -> dict[str, Any]:
    return {"inputs": inputs, "nodes": list(nodes), **more}


LOSS = {"kind": "sum"}
BAD_ANSWERS: dict[str, Any] = {
    "no shape": {"output_shape": lambda self, x: None},
    "sizes that are floats": {"output_shape": lambda self, x: (2.0,)},
    "a list for a shape": {"output_shape": lambda self, x: [2]},
    "no number held": {"saved": lambda self, x: None},
    "less than nothing held": {"saved": lambda self, x: -1},
    "no work": {"work": lambda self, x: None},
    "work of half an operation": {"work": lambda self, x: Work(each=0.5)},
    "no range": {"integer_inputs": lambda self, x: {0: 5}},
    "a bare shape for a parameter": {"parameters": lambda self, x: {"w": (2,)}},
    "a parameter with a dot": {"parameters": lambda self, x: {"w.x": Parameter((2,), zeros)}},
    "no input": {"output_shape": lambda self: ()},
}


@pytest.mark.parametrize("what", BAD_ANSWERS)
def test_a_layer_that_answers_nonsense_is_named(what: str) -> None:
    bad = type("Bad", (LAYERS["tanh"],), BAD_ANSWERS[what])
    with pytest.raises(PluginError, match="node 'n': layer 'bad'"):
        compile_network(spec({"name": "n", "kind": "bad", "inputs": ["x"]}, LOSS), registry(bad=bad))


def explode(*args: Any) -> Any:
    raise RuntimeError("secret")


@pytest.mark.parametrize("phase", ["config", "shape"])
def test_a_layer_that_fails_is_named(phase: str) -> None:
    with pytest.raises(PluginError) as caught:
        compile_network(spec({"name": "n", "kind": "bad"}), registry(bad=failing(phase, explode)))
    assert (caught.value.node, caught.value.kind) == ("n", "bad")
    assert "secret" not in str(caught.value)


def test_a_config_is_dumped_with_its_defaults() -> None:
    layer = declarations.make("n", "linear", LAYERS["linear"], {"units": 3})
    assert declarations.dump_config("n", "linear", layer) == {
        "units": 3,
        "bias": True,
        "init_scale": 1.0,
    }
    with pytest.raises(ValidationError):
        declarations.make("n", "linear", LAYERS["linear"], {"units": 0})


def test_arity_and_shapes_are_those_of_the_layer() -> None:
    linear = declarations.make("n", "linear", LAYERS["linear"], {"units": 3})
    assert str(declarations.input_arity("n", "linear", linear)) == "1 input (x)"
    declaration = declarations.declare("n", "linear", linear, [(5, 4)])
    assert declaration.shape == (5, 3) and not declaration.integers
    assert {name: parameter.shape for name, parameter in declaration.parameters.items()} == {
        "weight": (3, 4), "bias": (3,),
    }  # fmt: skip


@pytest.mark.parametrize(
    "position, error", [(0, LayerError), (None, LayerError), (1, PluginError), ("0", PluginError)]
)
def test_a_refusal_names_an_input_that_exists(position: Any, error: type[Exception]) -> None:
    def refuse(self: Any, x: Any) -> Any:
        raise LayerError("no", position)

    layer = type("Refusing", (LAYERS["tanh"],), {"output_shape": refuse})()
    with pytest.raises(error):
        declarations.declare("n", "refusing", layer, [(2,)])
