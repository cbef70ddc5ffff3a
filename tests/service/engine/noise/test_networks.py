"""A network with noise computes what one does that is sent the same numbers; and nothing without a seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from support.derivative_bits import derivative_bits
from support.engine import compiled

from deltawire import Refused
from deltawire_service.engine import Direction, Network
from deltawire_service.engine.plan import memory_plan
from deltawire_service.engine.plan.targets import value_targets

SEED = 11

SPEC: dict[str, Any] = {
    "inputs": {
        "x": {"shape": [3]},
        "y": {"shape": [], "dtype": "int64"},
        "keep": {"shape": [4], "noise": {"dropout": 0.25}},
        "epsilon": {"shape": [4], "noise": {"normal": 0.5}},
        "unused": {"shape": [2], "noise": {"uniform": 1}},
    },
    "nodes": [
        {"name": "hidden", "kind": "linear", "inputs": ["x"], "config": {"units": 4}},
        {"name": "kept", "kind": "multiply", "inputs": ["hidden", "keep"]},
        {"name": "noisy", "kind": "add", "inputs": ["kept", "epsilon"]},
        {"name": "active", "kind": "tanh", "inputs": ["noisy"]},
        {"name": "scores", "kind": "linear", "inputs": ["active"], "config": {"units": 3}},
        {"name": "loss", "kind": "softmax_nll", "inputs": ["scores", "y"]},
        {"name": "beside", "kind": "tanh", "inputs": ["unused"]},
    ],
    "loss": "loss",
}


def as_data() -> Network:
    """The same network, whose noise is data."""
    inputs = {
        name: {key: part for key, part in entry.items() if key != "noise"}
        for name, entry in SPEC["inputs"].items()
    }
    return compiled(SPEC | {"inputs": inputs})


def batch(rows: int = 9, dtype: str = "float64") -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Parameters, data, and the noise that is drawn for it."""
    network, numbers = compiled(SPEC), np.random.default_rng(0)
    data = {"x": numbers.standard_normal((rows, 3)).astype(dtype), "y": numbers.integers(0, 3, rows)}
    drawn = {
        name: each.draw(SEED, name, range(rows), np.dtype(dtype)) for name, each in network.noise.items()
    }
    return network.init(1, dtype), data, drawn


@pytest.mark.parametrize("chunks", [1, 4])
def test_every_derivative_is_that_of_the_same_numbers_as_data(
    chunks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_plan, "count_chunks", lambda *_: chunks)
    params, data, drawn = batch()
    ours = derivative_bits(compiled(SPEC).with_noise(SEED), params, data)
    theirs = derivative_bits(as_data(), params, data | drawn)
    assert ours.keys() <= theirs.keys()
    # Along all inputs of floats, those that hold the noise move in the other network, too.
    moving = ("jvp data", "hvp data")
    alike = [name for name in ours if not name.startswith(moving)]
    assert len(alike) > 20
    assert [name for name in alike if ours[name] != theirs[name]] == []


def test_products_with_directions_of_the_data_are_those_too() -> None:
    params, data, drawn = batch()
    noisy, other, along = compiled(SPEC).with_noise(SEED), as_data(), Direction(data={"x": data["x"]})
    ours, theirs = noisy.hvp(params, data, along), other.hvp(params, data | drawn, along)
    assert ours.data["x"].tobytes() == theirs.data["x"].tobytes()
    outputs = ["active", "loss"]
    ours, theirs = noisy.jvp(params, data, along, outputs), other.jvp(params, data | drawn, along, outputs)
    assert all(ours.tangents[name].tobytes() == theirs.tangents[name].tobytes() for name in outputs)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_pass_their_check_under_noise(dtype: str) -> None:
    params, data, _ = batch(dtype=dtype)
    checked = compiled(SPEC).with_noise(SEED).check(params, data, deltas=["hidden", "active"])
    assert len(checked) == 7 and all(array.passed for array in checked)


def test_without_a_seed_every_noise_input_has_its_mean() -> None:
    params, data, drawn = batch()
    means = {name: np.full_like(array, name == "keep") for name, array in drawn.items()}
    ours = compiled(SPEC).gradients(params, data, values=["noisy", "beside"])
    theirs = as_data().gradients(params, data | means, values=["noisy", "beside"])
    assert ours.loss == theirs.loss
    assert all(ours.values[name].tobytes() == theirs.values[name].tobytes() for name in ours.values)
    assert all(ours.params[name].tobytes() == theirs.params[name].tobytes() for name in params)


@pytest.mark.torch
def test_dropout_is_that_of_torch_with_the_same_mask() -> None:
    torch = pytest.importorskip("torch")
    params, data, drawn = batch()
    ours = compiled(SPEC).with_noise(SEED).gradients(params, data)
    leaves = {name: torch.tensor(array, requires_grad=True) for name, array in params.items()}
    hidden = torch.tensor(data["x"]) @ leaves["hidden.weight"].T + leaves["hidden.bias"]
    kept = torch.where(torch.tensor(drawn["keep"]) != 0, hidden / 0.75, 0.0)
    active = torch.tanh(kept + torch.tensor(drawn["epsilon"]))
    scores = active @ leaves["scores.weight"].T + leaves["scores.bias"]
    loss = torch.nn.functional.cross_entropy(scores, torch.tensor(data["y"]))
    loss.backward()
    assert ours.loss == pytest.approx(loss.item(), rel=1e-12)
    for name, leaf in leaves.items():
        np.testing.assert_allclose(ours.params[name], leaf.grad.numpy(), rtol=0, atol=1e-12)


def test_a_seed_changes_nothing_where_there_is_no_noise() -> None:
    network = as_data()
    assert network.with_noise(3) is network


def test_one_seed_after_another_shares_what_is_cached() -> None:
    network = compiled(SPEC)
    first, second = network.with_noise(1), network.with_noise(2).with_noise(3)
    assert (first.noise_seed, second.noise_seed, second.with_noise(None).noise_seed) == (1, 3, None)
    targets = value_targets(network, ["scores"])
    assert first.program(targets) is second.program(targets) is network.program(targets)
    outputs = first.with_outputs(("scores",))
    assert outputs.noise_seed == 1
    assert outputs.program(targets) is network.with_outputs(("scores",)).program(targets)
    params, data, _ = batch()
    del network, outputs
    assert first.gradients(params, data).loss != second.gradients(params, data).loss


def test_what_is_asked_of_noise_is_refused() -> None:
    params, data, drawn = batch()
    network = compiled(SPEC).with_noise(SEED)
    refusals = {
        "drawn from noise_seed: leave it out": lambda: network.gradients(
            params, data | {"keep": drawn["keep"]}
        ),
        "'keep' is noise: it has no gradient": lambda: network.gradients(params, data, wrt_data=["keep"]),
        "'keep' is noise: it cannot be moved": lambda: network.jvp(
            params, data, Direction(data={"keep": drawn["keep"]}), ["loss"]
        ),
        "'keep' is an input, whose numbers are drawn": lambda: network.forward(params, data, ["keep"]),
        "an input, and cotangents are for nodes": lambda: network.vjp(params, data, {"keep": drawn["keep"]}),
    }
    for detail, ask in refusals.items():
        with pytest.raises(Refused, match=detail):
            ask()


def test_noise_is_planned() -> None:
    without = {name: entry for name, entry in SPEC["inputs"].items() if "noise" not in entry}
    plain = compiled({"inputs": without, "nodes": [SPEC["nodes"][0], {"kind": "sum"}]})
    unused = {"u": {"shape": [1000], "noise": {"normal": 1}}}
    nodes = [
        *(SPEC["nodes"][0], {"name": "t", "kind": "sum", "inputs": ["hidden"]}),
        *({"name": "s", "kind": "sum", "inputs": ["u"]}, {"name": "l", "kind": "add", "inputs": ["t", "s"]}),
    ]
    noisy = compiled({"inputs": without | unused, "nodes": nodes, "loss": "l"})
    assert noisy.plan(10).work_bytes > plain.plan(10).work_bytes + 10 * 1000 * 8
    assert noisy.plan(10).operations > plain.plan(10).operations + 10 * noisy.noise["u"].work


def test_outputs_need_no_data_for_noise() -> None:
    assert set(compiled(SPEC).outputs({"x"})) == {"scores", "beside"}
