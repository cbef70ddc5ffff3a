"""Optimizers on plain dicts: they train, refuse by name before they change anything, and can be resumed."""

from __future__ import annotations

import tracemalloc
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from support.training import drawn

import deltawire
from deltawire import Client, Network, Refused
from deltawire.optim import Optimizer, schedules

KINDS = ("sgd", "adam", "adamw", "rmsprop", "adagrad", "lion")


def bits(arrays: dict[str, Any]) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in arrays.items()}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_network_is_trained(kind: str, dtype: str) -> None:
    net = Network()
    x, y = net.input("x", shape=(2,)), net.input("y", shape=())
    hidden = net.layer("tanh", net.layer("linear", x, units=8))
    net.loss = net.layer(
        "squared_error", net.layer("reshape", net.layer("linear", hidden, units=1), shape=()), y
    )
    client = Client()
    params = client.init(net, seed=0, dtype=dtype)
    stream = np.random.default_rng(0)
    points = stream.normal(size=(64, 2)).astype(dtype)
    batch = {"x": points, "y": points[:, 0] * points[:, 1]}
    optimizer = Optimizer(kind, learning_rate=0.02)
    first, _ = client.value_and_grad(net, params, batch)
    for _ in range(100):
        loss, gradients = client.value_and_grad(net, params, batch)
        optimizer.step(params, gradients)
    assert loss < 0.8 * first
    assert {array.dtype.name for array in params.values()} == {dtype}


def test_a_step_is_taken_in_place() -> None:
    params = {"w": np.array([1.0, 2.0])}
    same = params["w"]
    deltawire.optim.sgd(learning_rate=0.5).step(params, {"w": np.array([1.0, -1.0])})
    assert same is params["w"] and same.tolist() == [0.5, 2.5]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_a_step_and_its_checks_allocate_no_array(kind: str, dtype: Any) -> None:
    params, gradients = ({"w": np.ones((1000, 1000), dtype)} for _ in range(2))
    optimizer = Optimizer(kind, clip_norm=0.5, clip_value=0.1)
    optimizer.step(params, gradients)  # makes the state
    tracemalloc.start()
    try:
        optimizer.step(params, gradients)
        assert tracemalloc.get_traced_memory()[1] < 450_000 < params["w"].nbytes / 8
    finally:
        tracemalloc.stop()


def test_some_parameters_alone_can_be_trained() -> None:
    params = drawn()
    frozen = params["long"].copy()
    optimizer = deltawire.optim.adam()
    trained = {name: params[name] for name in params if name != "long"}
    optimizer.step(trained, {name: array for name, array in drawn(1).items() if name != "long"})
    assert np.array_equal(params["long"], frozen)


def test_gradients_of_other_libraries_and_lists_are_taken() -> None:
    class Elsewhere:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return np.array([1.0, 2.0])

    for gradient in (Elsewhere(), [1.0, 2.0], np.array([1, 2])):
        params = {"w": np.zeros(2)}
        deltawire.optim.sgd(learning_rate=1).step(params, {"w": gradient})
        assert params["w"].tolist() == [-1, -2]


def broken(**changes: Any) -> dict[str, Any]:
    return {name: array for name, array in (drawn(1) | changes).items() if array is not None}


def not_finite(value: float) -> Any:
    array = drawn(1)["hidden.weight"]
    array[2, 1] = value
    return array


read_only = drawn()["scale"].copy()
read_only.flags.writeable = False


@pytest.mark.parametrize(
    ("params", "gradients", "code", "pointer", "said"),
    [
        ({}, {"scale": None}, "missing_parameter", "/gradients/scale", "'scale' has no gradient"),
        ({}, {"other": np.ones(1)}, "unknown_parameter", "/gradients/other", "no parameter 'other'"),
        (
            {},
            {"long": np.ones(9000)},
            "shape_mismatch",
            "/gradients/long",
            "expected shape [9001], got [9000]",
        ),
        ({}, {"scale": np.float32(1)}, "dtype_mismatch", "/gradients/scale", "expected float64"),
        (
            {},
            {"hidden.weight": not_finite(np.nan)},
            "non_finite",
            "/gradients/hidden.weight/2/1",
            "nan at [2, 1]",
        ),
        ({}, {"hidden.weight": not_finite(-np.inf)}, "non_finite", "/gradients/hidden.weight/2/1", "-inf"),
        ({}, {"scale": np.array(np.nan)}, "non_finite", "/gradients/scale", "nan is not finite"),
        ({}, {"scale": "much"}, "tensor_invalid", "/gradients/scale", ""),
        ({"scale": 1.0}, {}, "tensor_invalid", "/params/scale", "got float"),
        ({"scale": np.array(1)}, {}, "dtype_unsupported", "/params/scale", "got int64"),
        ({"scale": read_only}, {}, "tensor_invalid", "/params/scale", "read-only"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_changes(
    params: dict[str, Any], gradients: dict[str, Any], code: str, pointer: str, said: str
) -> None:
    optimizer = deltawire.optim.adam(learning_rate=0.1)
    good = drawn()
    optimizer.step(good, drawn(1))
    before, state = bits(good), bits(optimizer.state)
    with pytest.raises(Refused) as caught:
        optimizer.step(good | params, broken(**gradients))
    assert (caught.value.code, caught.value.pointer) == (code, pointer)
    assert said in str(caught.value)
    assert (bits(good), bits(optimizer.state), optimizer.steps) == (before, state, 1)


@pytest.mark.parametrize("which", ["params", "gradients"])
def test_what_is_no_dict_is_refused(which: str) -> None:
    arguments: dict[str, Any] = {"params": drawn(), "gradients": drawn(1)} | {which: [1.0]}
    with pytest.raises(Refused, match=f"/{which}: expected arrays by name"):
        deltawire.optim.sgd().step(**arguments)


def test_other_parameters_than_before_are_refused() -> None:
    optimizer = deltawire.optim.adam()
    optimizer.step({"a": np.ones(2)}, {"a": np.ones(2)})
    with pytest.raises(Refused) as caught:
        optimizer.step({"b": np.ones(2)}, {"b": np.ones(2)})
    assert str(caught.value).startswith(
        "/state/a.exp_avg: the state belongs to other parameters: it has 'a.exp_avg'"
    )
    assert str(caught.value).endswith("takes an optimizer of its own: make a new one")
    with pytest.raises(
        Refused, match=r"'a.exp_avg' is float64 \[2\], expected float64 \[3\].*make a new one"
    ):
        optimizer.step({"a": np.ones(3)}, {"a": np.ones(3)})


def test_large_finite_gradients_are_finite() -> None:
    params = {"w": np.zeros(2)}
    deltawire.optim.lion(learning_rate=1.0).step(params, {"w": np.array([1e300, -1e300])})
    assert params["w"].tolist() == [-1, 1]


@pytest.mark.parametrize(
    ("arguments", "pointer"),
    [
        ({"learning_rate": -1}, "/learning_rate"),
        ({"learning_rate": "fast"}, "/learning_rate"),
        ({"betas": (0.9, 1.0)}, "/betas/1"),
        ({"rate": 1}, "/rate"),
        ({"clip_norm": 0}, "/clip_norm"),
        ({"clip_value": True}, "/clip_value"),
        ({"schedule": 0.9}, "/schedule"),
    ],
)
def test_arguments_that_do_not_fit_are_named(arguments: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Refused) as caught:
        Optimizer("adam", **arguments)
    assert caught.value.pointer == pointer


def test_an_unknown_kind_is_told_the_known_ones() -> None:
    with pytest.raises(Refused, match="expected one of adagrad, adam, adamw, lion, rmsprop, sgd, got 'adan'"):
        Optimizer("adan")


def test_numbers_of_numpy_are_numbers() -> None:
    assert Optimizer("sgd", learning_rate=np.float32(0.5)).learning_rate == 0.5
    assert schedules.step(step_size=np.int64(3)).learning_rate(1.0, 4) == pytest.approx(0.1)


def test_the_schedule_gives_each_step_its_rate() -> None:
    schedule = schedules.sequence([schedules.linear(0.5, 1.0, 2), schedules.step(1, 0.5)], milestones=[2])
    optimizer = deltawire.optim.sgd(learning_rate=1.0, schedule=schedule)
    params, rates = {"w": np.zeros(1)}, []
    for _ in range(4):
        before = params["w"].copy()
        rates.append(optimizer.learning_rate)
        optimizer.step(params, {"w": np.ones(1)})
        assert before - params["w"] == pytest.approx(rates[-1])
    assert rates == [0.5, 0.75, 1.0, 0.5]


def test_a_schedule_that_leaves_the_range_of_floats_is_refused() -> None:
    params = {"w": np.zeros(1)}
    optimizer = deltawire.optim.sgd(learning_rate=1.0, schedule=schedules.step(step_size=1, gamma=1e200))
    for _ in range(2):
        optimizer.step(params, {"w": np.ones(1)})
    with pytest.raises(Refused, match="/schedule: expected a finite learning rate of step 3, got inf"):
        optimizer.step(params, {"w": np.ones(1)})
    assert optimizer.steps == 2 and np.isfinite(params["w"]).all()


def test_gradients_are_clipped_and_stay_as_they_are() -> None:
    gradients = {"a": np.array([3.0, 0.0]), "b": np.array([[4.0]])}
    params = {"a": np.zeros(2), "b": np.zeros((1, 1))}
    deltawire.optim.sgd(learning_rate=1.0, clip_norm=1.0).step(params, gradients)
    assert params["a"].tolist() == pytest.approx([-0.6, 0.0], rel=1e-6) and params["b"] == pytest.approx(-0.8)
    params = {"a": np.zeros(2), "b": np.zeros((1, 1))}
    deltawire.optim.sgd(learning_rate=1.0, clip_value=3.5).step(params, gradients)
    assert params["a"].tolist() == [-3, 0] and params["b"] == -3.5
    assert gradients["a"].tolist() == [3, 0] and gradients["b"] == 4


def test_bounds_of_clipping_may_be_numbers_of_numpy() -> None:
    params = {"a": np.zeros(2)}
    bounds = {"clip_norm": np.float32(1.0), "clip_value": np.array(0.7)}
    deltawire.optim.sgd(learning_rate=1.0, **bounds).step(params, {"a": np.array([3.0, 4.0])})
    assert params["a"].tolist() == pytest.approx([-0.6, -0.7], rel=1e-6)
    with pytest.raises(Refused, match="/clip_value: expected a number above 0"):
        deltawire.optim.sgd(clip_value=np.float64(-1))


@pytest.mark.filterwarnings("error")
def test_a_bound_that_float32_does_not_reach_clips_nothing() -> None:
    params = {"a": np.zeros(2, np.float32)}
    gradient = np.array([3e38, -1.0], np.float32)
    deltawire.optim.sgd(learning_rate=1.0, clip_value=1e300).step(params, {"a": gradient})
    assert np.array_equal(params["a"], -gradient)


@pytest.mark.parametrize(("dtype", "large"), [(np.float64, 1e200), (np.float64, 1e308), (np.float32, 3e38)])
def test_large_gradients_are_scaled_to_the_norm(dtype: Any, large: float) -> None:
    params = {"a": np.zeros(1, dtype), "b": np.zeros(1, dtype)}
    gradients = {"a": np.array([0.6 * large], dtype), "b": np.array([-0.8 * large], dtype)}
    deltawire.optim.sgd(learning_rate=1.0, clip_norm=1e-3).step(params, gradients)
    assert [float(params[name][0]) for name in "ab"] == pytest.approx([-0.6e-3, 0.8e-3], rel=1e-6)


def test_gradients_whose_norm_is_not_finite_are_refused() -> None:
    params = {"a": np.zeros(4)}
    optimizer = deltawire.optim.sgd(learning_rate=1.0, clip_norm=1.0)
    with pytest.raises(Refused, match="the norm of all gradients is above 1.8e308") as caught:
        optimizer.step(params, {"a": np.full(4, 1.5e308)})
    assert caught.value.code == "non_finite" and optimizer.steps == 0 and not params["a"].any()


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_goes_on_from_a_file_with_the_same_bits(kind: str, tmp_path: Path) -> None:
    def made() -> Optimizer:
        return Optimizer(kind, learning_rate=0.1, schedule=schedules.cosine(T_max=8), clip_norm=1.0)

    whole, halves = drawn(), drawn()
    optimizer = made()
    for number in range(6):
        optimizer.step(whole, drawn(number))
    first, second = made(), made()
    for number in range(3):
        first.step(halves, drawn(number))
    first.save(tmp_path / "optimizer.safetensors")
    second.load(tmp_path / "optimizer.safetensors")
    for number in range(3, 6):
        second.step(halves, drawn(number))
    assert bits(halves) == bits(whole) and bits(second.state) == bits(optimizer.state)
    assert [path.name for path in tmp_path.iterdir()] == ["optimizer.safetensors"]


def test_the_file_is_one_that_the_safetensors_library_reads(tmp_path: Path) -> None:
    optimizer = deltawire.optim.adam()
    params = {"dense/kernel": np.ones((2, 3), np.float32)}
    optimizer.step(params, {"dense/kernel": np.ones((2, 3), np.float32)})
    optimizer.save(str(tmp_path / "state"))
    assert {name: array.tolist() for name, array in load_file(tmp_path / "state").items()} == {
        f"state/{name}": array.tolist() for name, array in optimizer.state.items()
    }
    again = deltawire.optim.adam()
    again.load(tmp_path / "state")
    assert bits(again.state) == bits(optimizer.state) and again.steps == 1


def test_a_state_is_copied_when_it_is_loaded() -> None:
    first, second = deltawire.optim.adam(), deltawire.optim.adam()
    first.step({"w": np.ones(2)}, {"w": np.ones(2)})
    second.load_state_dict(first.state_dict())
    assert not np.shares_memory(first.state["w.exp_avg"], second.state["w.exp_avg"])


@pytest.mark.parametrize(
    ("state", "pointer"),
    [
        ({"kind": "sgd", "steps": 1, "state": {}}, "/kind"),
        ({"kind": "adam", "steps": -1, "state": {}}, "/steps"),
        ({"kind": "adam", "steps": 1, "state": {"w": [1.0]}}, "/state"),
        ({}, "/kind"),
        ({"kind": "adam", "steps": 0, "state": {}, "learning_rate": 0.5}, "/learning_rate"),
        ([], ""),
    ],
)
def test_the_state_of_something_else_is_refused(state: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Refused) as caught:
        deltawire.optim.adam().load_state_dict(state)
    assert caught.value.pointer == pointer


def test_a_lost_state_is_not_begun_anew() -> None:
    optimizer = deltawire.optim.adam()
    optimizer.load_state_dict({"kind": "adam", "steps": 5, "state": {}})
    with pytest.raises(Refused, match="it has no 'w.exp_avg'"):
        optimizer.step({"w": np.ones(1)}, {"w": np.ones(1)})


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"no tensors in here")
    with pytest.raises(Refused):
        deltawire.optim.adam().load(tmp_path / "text")
    with pytest.raises(FileNotFoundError):
        deltawire.optim.adam().load(tmp_path / "absent")


@pytest.mark.torch
def test_the_learning_rate_is_changed_between_steps() -> None:
    torch = import_module("torch")
    params, torches = {"w": np.ones(2)}, torch.nn.Parameter(torch.ones(2, dtype=torch.float64))
    ours, theirs = deltawire.optim.adam(learning_rate=0.5), torch.optim.Adam([torches], lr=0.5)
    for rate in (0.5, 0.25, np.float32(0.125)):
        ours.learning_rate = float(rate)
        theirs.param_groups[0]["lr"] = float(rate)
        ours.step(params, {"w": params["w"] ** 3})
        torches.grad = torches.detach() ** 3
        theirs.step()
    np.testing.assert_allclose(params["w"], torches.detach().numpy(), rtol=1e-12)
    assert ours.rule()["config"]["learning_rate"] == 0.125


def test_a_schedule_goes_on_from_a_changed_rate() -> None:
    optimizer = deltawire.optim.sgd(1.0, schedule=deltawire.optim.schedules.step(1, gamma=0.5))
    optimizer.step({"w": np.ones(1)}, {"w": np.ones(1)})
    optimizer.learning_rate = 8
    assert optimizer.learning_rate == 4.0


@pytest.mark.parametrize("rate", ["0.1", -1, None, float("nan")])
def test_a_rate_that_is_none_is_refused_and_changes_nothing(rate: Any) -> None:
    optimizer = deltawire.optim.adam(0.5)
    with pytest.raises(Refused, match="^/learning_rate: expected a number"):
        optimizer.learning_rate = rate
    assert optimizer.learning_rate == 0.5
