"""Routines of the compiled kernels: the bits of the layers, one after the other."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from math import inf
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.allocations import traced
from support.engine import compiled
from support.small_networks import SmallNetwork, small_networks

from deltawire_layers import NUMBER, gates
from deltawire_layers.gates import routines
from deltawire_layers.numeric.multiplication import numpy_blas
from deltawire_service.engine import Direction, Network, Threads, Wrt
from deltawire_service.engine.caches import bytes_of
from deltawire_service.engine.execute.backprop import Pass
from deltawire_service.engine.execute.flat import runs
from deltawire_service.engine.execute.flat.program import flatten

pytestmark = pytest.mark.kernels


@given(small_networks(), st.sampled_from([1, 2]), st.sampled_from([2**12, runs.MOST_WORK]))
def test_networks_have_the_bits_of_the_loop(drawn: SmallNetwork, threads: int, work: int) -> None:
    network = replace(compiled(drawn.spec), threads=Threads(threads))
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        patch.setattr(runs, "MOST_WORK", work)
        patch.setattr(routines, "LEAST_SHARED", 0)  # the team of two threads helps with everything
        loop = drawn.bits(replace(network, flat_after=inf))
        patch.setattr(Pass, "_compute_by_steps", None)  # nothing may send the pass back to the loop
        joined = drawn.bits(replace(network, flat_after=0))
    assert [name for name in loop if loop[name] != joined[name]] == []


def linear(name: str, units: int, source: str = "") -> dict[str, Any]:
    node: dict[str, Any] = {"name": name, "kind": "linear", "config": {"units": units}}
    return node | ({"inputs": [source]} if source else {})


def network_of(*nodes: dict[str, Any], width: int = 6) -> Network:
    spec = {"inputs": {"x": {"shape": [width]}}, "nodes": [*nodes, {"name": "loss", "kind": "sum"}]}
    return replace(compiled(spec), flat_after=0)


def found(network: Network, rows: int) -> list[list[str]]:
    """Return the nodes of each run."""
    program = network.program(network.targets(Wrt()))
    return [[*run.nodes] for run in runs.find_runs(program, rows=rows)]


CHAIN = (
    linear("a", 5),
    {"name": "b", "kind": "tanh"},
    linear("c", 4),
    {"name": "d", "kind": "relu"},
    linear("e", 3),
)


def test_a_run_goes_on_through_matrices_and_gates_of_any_shape() -> None:
    assert found(network_of(*CHAIN), 8) == [["a", "b", "c"], ["e"]]


def test_of_any_number_of_examples_only_gates_are_joined() -> None:
    assert found(network_of(*CHAIN), 0) == []


def test_a_matrix_joins_for_as_many_examples_as_its_sums_have_terms() -> None:
    wide = network_of(linear("a", 1000), linear("b", 3), width=1000)
    assert found(wide, 64) == [["a", "b"]]
    assert found(wide, 256) == [["b"]]  # it computes too long
    assert found(network_of(linear("a", 3)), 1024) == [["a"]]
    assert found(network_of(linear("a", 3)), 2048) == []
    assert found(network_of(linear("a", 3), width=1025), 2) == []  # a long sum
    assert found(network_of(linear("a", 1)), 2) == []  # a vector to numpy


def test_a_shared_matrix_joins_no_run() -> None:
    tied = linear("b", 6, "a") | {"tied_to": "a"}
    assert found(network_of(linear("a", 6), tied, linear("c", 3)), 8) == [["c"]]


def test_a_run_ends_before_it_computes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "MOST_WORK", 8 * (6 * 5 + 5 * 4 + NUMBER * (6 + 5 + 5 + 4)))
    assert found(network_of(linear("a", 5), linear("b", 4), linear("c", 3)), 8) == [["a", "b"], ["c"]]


def test_without_the_products_of_numpy_only_gates_are_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numpy_blas, "hand_over", lambda: False)
    assert found(network_of(*CHAIN), 8) == []


CLASSIFIER: dict[str, Any] = {
    "inputs": {"x": {"shape": [6]}, "y": {"shape": [], "dtype": "int64"}},
    "nodes": [
        *(linear("a", 5, "x"), {"name": "b", "kind": "tanh"}, linear("c", 4)),
        {"name": "loss", "kind": "softmax_nll", "inputs": ["c", "y"]},
    ],
}


def batch(network: Network) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return parameters, and data of three examples."""
    random = np.random.default_rng(0)
    params = {name: random.normal(size=each.shape) for name, each in network.parameters.items()}
    return params, {"x": random.normal(size=(3, 6)), "y": np.array([0, 3, 1])}


def test_products_are_handed_over_by_names_that_tell_their_integers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all("64" in name or not wide for name, wide in numpy_blas.NAMES.items())
    assert numpy_blas.hand_over()
    monkeypatch.setattr(numpy_blas, "NAMES", {"not_a_name_of_{}": True})
    assert not numpy_blas.hand_over.__wrapped__()


def test_a_request_that_repeats_is_computed_by_routines(monkeypatch: pytest.MonkeyPatch) -> None:
    import deltawire_kernels

    calls = list[int]()
    routine = deltawire_kernels.routine
    monkeypatch.setattr(deltawire_kernels, "routine", lambda *args: calls.append(args[7]) or routine(*args))
    network = compiled(CLASSIFIER)
    params, data = batch(network)
    network.gradients(params, data)
    assert calls == []
    network.gradients(params, data)
    assert calls == [3, 3]  # in each pass
    network.hvp(params, data, Direction(params))
    assert calls == [3, 3]  # complex numbers have no routine


def test_the_nodes_of_a_run_share_its_time_by_their_work() -> None:
    wide = network_of(linear("a", 1000), {"name": "b", "kind": "tanh"}, width=1000)
    program = wide.program(wide.targets(Wrt()))
    (run,) = runs.find_runs(program, rows=2)
    (linear_share, tanh_share) = (share for _, share in run.shares)
    assert linear_share + tanh_share == pytest.approx(1)
    assert linear_share == pytest.approx((1e6 + 32e3) / (1e6 + 64e3))


@pytest.mark.parametrize("nodes", [3, 60])
def test_the_caches_count_the_bytes_of_routines(nodes: int) -> None:
    pairs = [
        (linear(f"a{place}", 9 + place), {"name": f"b{place}", "kind": "tanh"}) for place in range(nodes)
    ]
    network = network_of(*chain.from_iterable(pairs))
    program = network.program(network.targets(Wrt(True, True)))
    made, allocated = traced(lambda: flatten(network, program, 8))
    assert made is not None
    assert 0.8 * allocated < bytes_of(made) < 2 * allocated + 4096


def test_a_matrix_in_fortran_order_is_computed_by_the_loop() -> None:
    network = replace(compiled(CLASSIFIER), flat_after=0)
    params, data = batch(network)
    turned = {name: np.asfortranarray(array) for name, array in params.items()}
    result, right = network.gradients(turned, data), network.gradients(params, data)
    for name, gradient in right.params.items():
        np.testing.assert_allclose(result.params[name], gradient, rtol=1e-13)


def test_a_matrix_times_itself_has_the_bits_of_the_loop() -> None:
    network = network_of(linear("a", 33), width=33)
    square = np.random.default_rng(0).normal(size=(33, 33))
    params, data = {"a.weight": square, "a.bias": np.zeros(33)}, {"x": square}
    loop = replace(network, flat_after=inf).gradients(params, data, values=["a"])
    assert network.gradients(params, data, values=["a"]).values["a"].tobytes() == loop.values["a"].tobytes()


def test_values_that_exist_for_a_moment_share_their_places() -> None:
    tape, widths = gates.Recorder(), range(101, 40, -1)
    value = tape.new()
    sizes = {value: gates.Size((101,))}
    for width in widths:
        weight = tape.new()
        sizes[weight] = gates.Size((width - 1, width), of_example=False)
        value = tape.record("project", value, weight)
    given, operations = [*sizes], tape.start()
    routine = gates.make_routine(gates.value_sizes(operations, sizes), operations, given, [value], [])
    assert routine.scratch == 100 + 99  # what an operation reads, and what it writes
    places = {(begin, width) for begin, width in routine.places.tolist()}
    assert len(places) == len(routine.places) and max(begin + width for begin, width in places) == 199


def test_a_gradient_that_is_not_finite_is_refused() -> None:
    from deltawire.errors import Refused

    network = replace(compiled(CLASSIFIER), flat_after=0)
    params, data = batch(network)
    data["x"][1, 2] = np.inf
    with pytest.raises(Refused, match="finite"):
        network.gradients(params, data)


class Call:
    """A routine of one operation on arrays of 2 examples, and its mistakes."""

    def __init__(self, operation: str, made: tuple[int, ...], *given: tuple[int, ...], **changes: Any):
        import deltawire_kernels as kernels

        assert numpy_blas.hand_over()
        names = (*kernels.operations, *kernels.matrix_operations)
        place = len(given)
        step = [names.index(operation), place, 0, place - 1]
        self.made = np.zeros(made)
        arguments: dict[str, Any] = {
            "steps": np.array([step], np.int32),
            "given": tuple(np.ones(shape) for shape in given),
            "made": (self.made,),
            "memory": np.zeros(0),
            "places": np.zeros(0, np.int64),
            "kept": 0,
            "scratch": 0,
            "rows": 2,
            "gradients": 1,
        }
        self.finite = kernels.routine(**(arguments | changes))


@pytest.mark.parametrize(
    ("operation", "made", "given"),
    [
        ("project", (2, 3), [(2, 4), (3, 5)]),
        ("project", (3, 3), [(2, 4), (3, 4)]),
        ("send", (2, 4), [(2, 3), (4, 4)]),
        ("outer", (3, 5), [(2, 3), (2, 4)]),
        ("outer", (3, 4), [(2, 3), (4,)]),
        ("add_row", (2, 3), [(2, 3), (4,)]),
        ("add_row", (2, 4), [(2, 3), (4,)]),
        ("sum_rows", (4,), [(2, 3)]),
        ("sum_rows", (3,), [(3,)]),
        ("add", (2, 3), [(2, 3), (2, 4)]),
        ("negate", (2, 4), [(2, 3)]),
    ],
)
def test_arrays_that_do_not_fit_are_refused(operation: str, made: tuple[int, ...], given: list[Any]) -> None:
    with pytest.raises(ValueError, match="fit|fill"):
        Call(operation, made, *given)


@pytest.mark.parametrize(
    "changes",
    [
        {"steps": np.array([[999, 1, 0, 0]], np.int32)},
        {"steps": np.array([[-1, 1, 0, 0]], np.int32)},
        {"steps": np.array([[4, 0, 0, 0]], np.int32)},  # it would write what is given
        {"steps": np.array([[4, 2, 0, 0]], np.int32)},
        {"steps": np.array([[4, 1, 0, -1]], np.int32)},
        {"steps": np.zeros(3, np.int32)},
        {"rows": 0},
        {"kept": 1},
        {"gradients": 2},
        {"places": np.array([0, 3])},
        {"places": np.array([[0, -1]])},
        {"places": np.array([[-1, 1]]), "memory": np.zeros(6)},
        {"places": np.array([[1, 3]]), "memory": np.zeros(6), "kept": 1},
        {"places": np.array([[1, 3]]), "scratch": 3},
    ],
)
def test_other_mistakes_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Call("negate", (2, 3), (2, 3), **changes)


@pytest.mark.parametrize("given", [np.ones((3, 2)).T, np.ones((2, 3), np.float32)])
def test_arrays_of_another_layout_or_dtype_are_refused(given: np.ndarray) -> None:
    with pytest.raises(TypeError):
        Call("negate", (2, 3), (2, 3), given=(given,))


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_told(number: float) -> None:
    given = np.ones((2, 30))
    assert Call("sum_rows", (30,), (2, 30), given=(given,)).finite
    given[1, 17] = number
    call = Call("sum_rows", (30,), (2, 30), given=(given,))
    assert not call.finite
    assert np.array_equal(call.made, given.sum(axis=0), equal_nan=True)
    assert Call("sum_rows", (30,), (2, 30), given=(given,), gradients=0).finite
