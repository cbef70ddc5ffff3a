"""Noise inputs in a spec: what they become, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from support.engine import compiled

from deltawire import Refused
from deltawire_service.engine.noise.distributions import Dropout, Normal, Uniform


def with_noise(**entry: Any) -> dict[str, Any]:
    nodes = [{"name": "y", "kind": "multiply", "inputs": ["x", "u"]}, {"kind": "sum"}]
    return {"inputs": {"x": {"shape": [2]}, "u": {"shape": [2], **entry}}, "nodes": nodes}


@pytest.mark.parametrize(
    "noise, distribution",
    [({"normal": 2}, Normal(2.0)), ({"uniform": 0.5}, Uniform(0.5)), ({"dropout": 0.1}, Dropout(0.1))],
)
def test_a_noise_input_is_neither_data_nor_a_parameter(noise: Any, distribution: Any) -> None:
    network = compiled(with_noise(noise=noise))
    assert (list(network.inputs), list(network.parameters), list(network.noise)) == (["x"], [], ["u"])
    assert (network.noise["u"].shape, network.noise["u"].distribution) == ((2,), distribution)
    assert network.spec["inputs"]["u"]["noise"] == noise
    assert compiled(with_noise(noise=noise)).id == network.id != compiled(with_noise(noise={"normal": 3})).id


@pytest.mark.parametrize(
    "entry, pointer, code",
    [
        ({"noise": {}}, "/inputs/u/noise", "field_invalid"),
        ({"noise": {"normal": 1, "uniform": 1}}, "/inputs/u/noise", "field_invalid"),
        ({"noise": {"dropout": 1}}, "/inputs/u/noise/dropout", "field_invalid"),
        ({"noise": {"dropout": -0.1}}, "/inputs/u/noise/dropout", "field_invalid"),
        ({"noise": {"normal": -1}}, "/inputs/u/noise/normal", "field_invalid"),
        ({"noise": {"cauchy": 1}}, "/inputs/u/noise/cauchy", "field_unknown"),
        ({"noise": "normal"}, "/inputs/u/noise", "field_invalid"),
        ({"noise": {"normal": 1}, "dtype": "int64"}, "/inputs/u/dtype", "dtype_unsupported"),
        ({"noise": {"normal": 1}, "shared": True}, "/inputs/u/shared", "field_invalid"),
        ({"noise": {"normal": 1}, "parameter": {"normal": 1}}, "/inputs/u/noise", "field_invalid"),
    ],
)
def test_what_is_no_noise_is_refused(entry: Any, pointer: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        compiled(with_noise(**entry))
    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [(pointer, code)]


def test_integers_are_not_drawn() -> None:
    spec = {
        "inputs": {"i": {"shape": [2], "noise": {"normal": 1}}},
        "nodes": [{"kind": "embedding", "config": {"rows": 3, "width": 2}}],
    }
    with pytest.raises(Refused, match="takes integers here"):
        compiled(spec)
