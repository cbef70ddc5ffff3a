"""Flat programs: the same bits as the loop, for every derivative; and the loop where anything is unusual."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import inf
from threading import Event, get_ident
from time import monotonic, sleep
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.allocations import traced
from support.derivative_bits import derivative_bits
from support.engine import compiled
from support.layers import registry
from support.networks import Example, examples

from deltawire.errors import Refused
from deltawire_layers import Activation, Array, DeadlineExceeded, call_until, check_deadline
from deltawire_layers.layers.linear import Linear
from deltawire_layers.layers.pointwise.activations import Mish
from deltawire_layers.numeric import products
from deltawire_layers.numeric.multiplication import numpy_blas
from deltawire_service.engine import Direction, Network, PluginError, Threads, Wrt, compile_network
from deltawire_service.engine.caches import bytes_of
from deltawire_service.engine.execute import backprop
from deltawire_service.engine.execute.flat import program as flat
from deltawire_service.engine.plan import memory_plan

CHAIN: dict[str, Any] = {
    "inputs": {"x": {"shape": [3]}},
    "nodes": [
        {"name": "a", "kind": "linear", "config": {"units": 3}},
        {"name": "b", "kind": "mish"},  # no gate, so that kernels make no run of the chain
        {"name": "c", "kind": "add", "inputs": ["a", "b", "x"]},
        {"name": "d", "kind": "sum"},
    ],
}
PARAMS = {"a.weight": np.arange(9.0).reshape(3, 3) / 9, "a.bias": np.array([0.1, -0.2, 0.3])}
X = np.linspace(-1, 1, 12).reshape(4, 3)
TWO_LAYERS: dict[str, Any] = {
    "inputs": {"x": {"shape": [3]}},
    "nodes": [
        {"name": "a", "kind": "linear", "config": {"units": 3}},
        {"name": "b", "kind": "linear", "config": {"units": 3}},
        {"name": "c", "kind": "sum"},
    ],
}
THREADS = Threads(2)


def always(network: Network) -> Network:
    return replace(network, flat_after=0)


def never(network: Network) -> Network:
    return replace(network, flat_after=inf)


@settings(max_examples=settings.default.max_examples // 4)
@given(
    examples(),
    st.sampled_from(["float32", "float64"]),
    st.integers(1, 20),
    st.integers(1, 30),
    st.sampled_from([0, products.FEWEST]),
)
def test_every_derivative_has_the_bits_of_the_loop(
    example: Example, dtype: str, times: int, chunks: int, fewest: int
) -> None:
    example = example.astype(dtype)
    network = compiled(example.spec)
    data = {
        name: array if network.inputs[name].shared else np.concatenate([array] * times)
        for name, array in example.data.items()
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory_plan, "count_chunks", lambda network, batch, itemsize: min(batch, chunks))
        patch.setattr(products, "FEWEST", fewest)  # 0: also small complex products are taken apart
        patch.setattr(flat, "LEAST_LATER", 1)
        guarded = derivative_bits(never(network), example.params, data)
        plain = derivative_bits(always(network), example.params, data)
        shared = derivative_bits(replace(always(network), threads=THREADS), example.params, data)
    assert [name for name in guarded if not guarded[name] == plain[name] == shared[name]] == []


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The nodes that the loop has computed."""
    called: list[str] = []
    forward = backprop.layer_calls.forward

    def listed(node: Any, *arguments: Any) -> Any:
        called.append(node.name)
        return forward(node, *arguments)

    monkeypatch.setattr(backprop.layer_calls, "forward", listed)
    return called


def test_a_program_that_repeats_is_flattened(calls: list[str]) -> None:
    network = compiled(CHAIN)
    results = [network.gradients(PARAMS, {"x": X}) for _ in range(3)]
    assert calls == ["a", "b", "c", "d"]
    assert len({result.params["a.weight"].tobytes() for result in results}) == 1
    network.gradients(PARAMS, {"x": X}, wrt_data=True)
    assert len(calls) == 8  # another program, computed once


def test_a_network_that_is_told_so_stays_with_the_loop(calls: list[str]) -> None:
    network = never(compiled(CHAIN))
    for _ in range(3):
        network.gradients(PARAMS, {"x": X})
    assert len(calls) == 12


class Foreign(Mish):
    """A layer of others."""


class Halved(Linear):
    """A layer of others that computes with the gradient of one of ours: its weight counts half."""

    def forward(self, params: Mapping[str, Array], x: Array) -> Activation:
        W = params["weight"]
        half = super().forward({**params, "weight": 0.5 * W}, x)
        gradient = half.grads["weight"]
        return half._replace(grads={**half.grads, "weight": lambda delta: gradient(delta) * (W / (W + W))})


def test_others_may_compute_with_gradients_under_the_complex_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "FEWEST", 0)
    nodes = [
        {"kind": "halved", "config": {"units": 3}},
        {"kind": "power", "config": {"exponent": 2}},
        {"name": "s", "kind": "sum"},
    ]
    spec = {"inputs": CHAIN["inputs"], "nodes": nodes}
    params = {"halved1.weight": PARAMS["a.weight"] + 1, "halved1.bias": PARAMS["a.bias"]}
    found = always(compile_network(spec, registry(halved=Halved))).hvp(params, {"x": X}, Direction(params))
    # The loss is |½ W x + b|², so its gradient along (W, b) itself is linear: the product is the gradient.
    gradient = compile_network(spec, registry(halved=Halved)).gradients(params, {"x": X})
    for name, array in found.params.items():
        np.testing.assert_allclose(array, gradient.params[name], rtol=1e-13)


def test_layers_of_others_stay_guarded(calls: list[str]) -> None:
    spec = {"inputs": CHAIN["inputs"], "nodes": [{"kind": "foreign"}, {"name": "s", "kind": "sum"}]}
    network = always(compile_network(spec, registry(foreign=Foreign)))
    for _ in range(3):
        network.gradients({}, {"x": X}, wrt_data=True)
    assert len(calls) == 6


def test_a_trace_is_made_by_the_loop(calls: list[str]) -> None:
    network = always(compiled(CHAIN))
    network.gradients(PARAMS, {"x": X}, trace=True)
    assert calls == ["a", "b", "c", "d"]


def broken(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """Have mish fail: in its forward pass, or in its equation."""
    forward = Mish.forward

    def failing(self: Mish, params: Mapping[str, Array], x: Array) -> Any:
        if where == "forward":
            raise ZeroDivisionError
        activation = forward(self, params, x)
        equation: Callable[[Any], Array] = lambda delta: 1 / 0  # noqa: E731
        return activation._replace(deltas=(equation,))

    monkeypatch.setattr(Mish, "forward", failing)


@pytest.mark.parametrize("where", ["forward", "equation"])
def test_a_layer_that_fails_is_named(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch, where)
    network = always(compiled(CHAIN))
    with pytest.raises(PluginError, match="'b'"):
        network.gradients(PARAMS, {"x": X})


def test_an_input_without_a_derivative_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    forward = Mish.forward

    def flat_everywhere(self: Mish, params: Mapping[str, Array], x: Array) -> Any:
        return forward(self, params, x)._replace(deltas=(None,))

    monkeypatch.setattr(Mish, "forward", flat_everywhere)
    with pytest.raises(Refused, match="node 'b' .* has no derivative"):
        always(compiled(CHAIN)).gradients(PARAMS, {"x": X})


def test_the_deadline_is_looked_at_before_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    network = always(compiled(CHAIN))
    ticks = iter(range(1, 100))
    monkeypatch.setattr(flat, "monotonic", lambda: monotonic() + 1000 * (next(ticks) > 6))
    with pytest.raises(DeadlineExceeded):
        call_until(monotonic() + 500, lambda: network.gradients(PARAMS, {"x": X}))
    assert next(ticks) == 8  # four steps forward, three back


def test_the_seconds_of_each_kind_are_reported() -> None:
    reports: list[dict[str, float]] = []
    network = replace(always(compiled(CHAIN)), on_compute_seconds=reports.append)
    network.gradients(PARAMS, {"x": X})
    assert [report.keys() for report in reports] == [{"linear", "mish", "add", "sum"}]


def leaving(monkeypatch: pytest.MonkeyPatch, gradient: Callable[[Callable[[], Array]], Array]) -> None:
    """Have linear layers send no delta before another thread has begun a gradient.

    gradient: called with what computes the gradient of a weight.
    """
    monkeypatch.setattr(numpy_blas, "hand_over", lambda: False)  # no routine computes them
    begun, forward = Event(), Linear.forward

    def noted(self: Linear, params: Mapping[str, Array], x: Array) -> Any:
        activation = forward(self, params, x)
        weight, send = activation.grads["weight"], activation.deltas[0]
        assert send

        def begin(delta: Array) -> Array:
            begun.set()
            return gradient(lambda: weight(delta))

        def below(delta: Array) -> Array:
            assert begun.wait(10)
            return send(delta)

        return activation._replace(deltas=(below,), grads={**activation.grads, "weight": begin})

    monkeypatch.setattr(Linear, "forward", noted)
    monkeypatch.setattr(flat, "LEAST_LATER", 1)


def in_two_threads(spec: dict[str, Any] = TWO_LAYERS) -> tuple[Network, dict[str, Array]]:
    network = replace(always(compiled(spec)), threads=THREADS)
    return network, network.init(0)


@pytest.fixture
def gradient_threads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The threads that compute gradients of weights."""
    threads = list[int]()

    def gradient(compute: Callable[[], Array]) -> Array:
        threads.append(get_ident())
        return compute()

    leaving(monkeypatch, gradient)
    return threads


def test_another_thread_computes_gradients_while_deltas_are_sent_down(gradient_threads: list[int]) -> None:
    network, params = in_two_threads()
    network.gradients(params, {"x": X})
    assert len(gradient_threads) == 2 and gradient_threads[0] != get_ident() == gradient_threads[1]


def test_gradients_of_shared_parameters_are_not_left(gradient_threads: list[int]) -> None:
    first, second, loss = TWO_LAYERS["nodes"]
    network, params = in_two_threads(TWO_LAYERS | {"nodes": [first, second | {"tied_to": "a"}, loss]})
    network.gradients(params, {"x": X})
    assert gradient_threads == [get_ident()] * 2


def test_the_seconds_of_another_thread_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def gradient(compute: Callable[[], Array]) -> Array:
        if get_ident() != here:
            sleep(0.2)
        return compute()

    leaving(monkeypatch, gradient)
    here, reports = get_ident(), list[dict[str, float]]()
    network, params = in_two_threads()
    replace(network, on_compute_seconds=reports.append).gradients(params, {"x": X})
    assert 0.2 <= reports[0]["linear"] < 0.4 > reports[0]["sum"] + 0.2


def test_seconds_are_counted_once_where_others_have_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    made = list[int]()

    def gradient(compute: Callable[[], Array]) -> Array:
        made.append(get_ident())
        sleep(0.05)
        return compute()

    leaving(monkeypatch, gradient)
    reports = list[dict[str, float]]()
    nodes = [{"kind": "linear", "config": {"units": 3}}] * 8
    network, params = in_two_threads({"inputs": {"x": {"shape": [3]}}, "nodes": [*nodes, {"kind": "sum"}]})
    replace(network, on_compute_seconds=reports.append).gradients(params, {"x": X})
    assert len(made) == 8 and made.count(get_ident()) >= 3
    assert 0.4 <= reports[0]["linear"] < 0.45


def test_a_gradient_that_fails_in_another_thread_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    leaving(monkeypatch, lambda _: 1 / 0)  # type: ignore[arg-type, return-value]
    network, params = in_two_threads()
    with pytest.raises(PluginError, match="'b'"):
        network.gradients(params, {"x": X})


def test_a_gradient_in_another_thread_looks_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(_: Callable[[], Array]) -> Array:
        while True:
            check_deadline()

    leaving(monkeypatch, endless)
    network, params = in_two_threads()
    with pytest.raises(DeadlineExceeded):
        call_until(monotonic() + 0.2, lambda: network.gradients(params, {"x": X}))
    assert THREADS.alone(lambda: "next") == "next"


@pytest.mark.parametrize("nodes", [10, 250])
@pytest.mark.parametrize("node", [{"kind": "tanh"}, {"kind": "linear", "config": {"units": 1}}])
def test_the_caches_count_the_bytes_of_the_code(node: dict[str, Any], nodes: int) -> None:
    spec = {"inputs": {"x": {"shape": [1]}}, "nodes": [*[node] * nodes, {"kind": "sum"}]}
    network = compiled(spec)
    program = network.program(network.targets(Wrt(True, True)))
    made, allocated = traced(lambda: flat.flatten(network, program))
    assert made is not None
    assert 0.8 * allocated < bytes_of(made) < 2 * allocated + 4096


def test_a_long_program_stays_with_the_loop() -> None:
    spec = {"inputs": {"x": {"shape": []}}, "nodes": [{"kind": "tanh"}] * 257}
    network = compiled(spec)
    assert flat.flatten(network, network.program(network.targets(Wrt(False, True)))) is None


def test_noise_of_other_seeds_shares_a_program(calls: list[str]) -> None:
    noisy = {"inputs": {"x": {"shape": [3], "noise": {"normal": 1.0}}, "y": {"shape": [3]}},
             "nodes": [{"name": "s", "kind": "subtract", "inputs": ["x", "y"]}, {"kind": "sum"}]}  # fmt: skip
    network = compiled(noisy)
    for seed in range(3):
        network.with_noise(seed).gradients({}, {"y": X}, wrt_data=True)
    assert len(calls) == 2
