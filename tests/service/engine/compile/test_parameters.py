"""Learned inputs, and ties of transposed matrices: which parameters a network has, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.engine import compiled

from deltawire import Refused

AUTOENCODER: dict[str, Any] = {
    "inputs": {"x": {"shape": [5]}},
    "nodes": [
        {"name": "encoder", "kind": "linear", "inputs": ["x"], "config": {"units": 3}},
        {"name": "code", "kind": "tanh"},
        {
            "name": "decoder",
            "kind": "linear",
            "config": {"units": 5},
            "tied_to": "encoder",
            "transpose": True,
        },
        {"name": "loss", "kind": "squared_error", "inputs": ["decoder", "x"]},
    ],
}


def with_decoder(**changes: Any) -> dict[str, Any]:
    nodes = AUTOENCODER["nodes"][:3]
    nodes[2] = nodes[2] | changes
    return AUTOENCODER | {"nodes": nodes}


def with_input(**entry: Any) -> dict[str, Any]:
    nodes = [{"name": "y", "kind": "multiply", "inputs": ["x", "w"]}, {"kind": "sum"}]
    return {"inputs": {"x": {"shape": [2]}, "w": {"shape": [2], **entry}}, "nodes": nodes}


def test_a_transposed_tie_shares_the_matrix_and_owns_the_bias() -> None:
    network = compiled(AUTOENCODER)
    shapes = {name: parameter.shape for name, parameter in network.parameters.items()}
    assert shapes == {"encoder.weight": (3, 5), "encoder.bias": (3,), "decoder.bias": (5,)}
    assert network.nodes["decoder"].transposed == {"weight"}
    assert network.spec["nodes"][2]["transpose"] is True and "transpose" not in network.spec["nodes"][0]


def test_an_untied_network_keeps_its_identity() -> None:
    plain = {"inputs": {"x": {"shape": [2]}}, "nodes": [{"kind": "linear", "config": {"units": 1}}]}
    explicit = {**plain, "nodes": [plain["nodes"][0] | {"transpose": False}]}
    assert compiled(plain).id == compiled(explicit).id
    assert set(compiled(plain).spec["nodes"][0]) == {"name", "kind", "inputs", "config"}
    assert set(compiled(plain).spec["inputs"]["x"]) == {"shape", "dtype", "shared"}


def test_a_learned_input_is_a_parameter_and_no_data() -> None:
    network = compiled(with_input(parameter={"normal": 0.02}))
    assert (list(network.inputs), list(network.parameters)) == (["x"], ["w"])
    assert network.spec["inputs"]["w"]["parameter"] == {"normal": 0.02}


@pytest.mark.parametrize(
    ("parameter", "fits"),
    [
        ({"constant": 0.5}, lambda w: (w == 0.5).all()),
        ({"uniform": 2.0}, lambda w: (np.abs(w) <= 2).all() and len(set(w)) == 2),
        ({"normal": 0.5}, lambda w: (np.abs(w) <= 3).all() and len(set(w)) == 2),
    ],
)
def test_first_numbers_of_a_learned_input(parameter: dict[str, float], fits: Any) -> None:
    network = compiled(with_input(parameter=parameter))
    assert fits(network.init(3)["w"])
    assert (network.init(3)["w"] == network.init(3)["w"]).all()


@pytest.mark.parametrize("parameter", [{"normal": 1e37}, {"uniform": 1e37}, {"constant": -1e37}])
def test_the_largest_first_numbers_are_finite_in_float32(parameter: dict[str, float]) -> None:
    network = compiled(with_input(parameter=parameter))
    assert np.isfinite(network.init(0, np.float32)["w"]).all()
    # No draw of Normal is further than 6 standard deviations from 0.
    assert np.isfinite(np.float32(6 * 1e37))


REFUSED: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "transposed, and tied to nothing": (
        {**AUTOENCODER, "nodes": [AUTOENCODER["nodes"][0] | {"transpose": True}]},
        "tie_invalid", "/nodes/0/transpose", "tied_to",
    ),
    "another shape": (with_decoder(config={"units": 4}), "tie_invalid", "/nodes/2/tied_to", "weight [4, 3]"),
    "no matrix": (
        with_decoder(kind="shift", config={}), "tie_invalid", "/nodes/2/tied_to", "no matrix to transpose",
    ),
    "a matrix that the other has not": (
        with_decoder(kind="embedding", inputs=["i"], config={"rows": 3, "width": 5})
        | {"inputs": AUTOENCODER["inputs"] | {"i": {"shape": [], "dtype": "int64"}}},
        "tie_invalid", "/nodes/2/tied_to", "transposed matrices of 'encoder', weight [3, 5]",
    ),
    "no way to draw it": (with_input(parameter={}), "field_invalid", "/inputs/w/parameter", "got 0"),
    "two ways to draw it": (
        with_input(parameter={"normal": 1, "constant": 1}), "field_invalid", "/inputs/w/parameter", "got 2",
    ),
    "an unknown way": (with_input(parameter={"gauss": 1}), "field_unknown", "/inputs/w/parameter/gauss", ""),
    "a negative deviation": (
        with_input(parameter={"normal": -1}), "field_invalid", "/inputs/w/parameter/normal", "",
    ),
    **{
        f"{number} as {way}, which float32 cannot hold": (
            with_input(parameter={way: number}), "field_invalid", f"/inputs/w/parameter/{way}", "1e+37",
        )
        for way, number in [("constant", 1e300), ("constant", -1e300), ("normal", 1e38), ("uniform", 1.7e308)]
    },
    "a shared input": (
        with_input(parameter={"constant": 1}, shared=True),
        "field_invalid", "/inputs/w/shared", "a learned input is the same for every example",
    ),
    "integers": (
        with_input(parameter={"constant": 1}, dtype="int64"), "dtype_unsupported", "/inputs/w/dtype", "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_a_parameter_is_refused(case: str) -> None:
    spec, code, pointer, said = REFUSED[case]
    with pytest.raises(Refused) as refused:
        compiled(spec)
    assert (refused.value.code, refused.value.pointer) == (code, pointer), refused.value
    assert said in str(refused.value)
