"""One rule for arrays, whatever contains them and whichever call takes them.

The oracle is numpy: what another container sends, or how it is refused, is what the same numbers in a numpy
array would. Lists have no dtype, and are compared with Python's own float().
"""

from __future__ import annotations

from array import array as buffer
from collections import deque
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.transports import Recorded

from deltawire import Client, Fault, Network, Refused, ServiceFailed


def network() -> Network:
    net = Network()
    scores = net.layer("linear", net.input("x", (2,)), units=2, name="first")
    net.layer("softmax_nll", scores, net.input("y", dtype="int64"), name="loss")
    return net


NET = network()
PARAMS = {"first.weight": np.ones((2, 2)), "first.bias": np.zeros(2)}
DATA = {"x": np.ones((2, 2)), "y": np.array([0, 1])}
SQUARE = np.ones((2, 2))

CALLS: dict[str, Callable[[Client, Any, Any], Any]] = {
    "gradients": lambda c, params, data: c.gradients(NET, params, data),
    "value_and_grad": lambda c, params, data: c.value_and_grad(NET, params, data),
    "forward": lambda c, params, data: c.forward(NET, params, data, ["first"]),
    "check": lambda c, params, data: c.check(NET, params, data),
    "vjp": lambda c, params, data: c.vjp(NET, params, data, {"first": [[1, 1], [1, 1]]}),
    "jvp": lambda c, params, data: c.jvp(NET, params, data, {"x": [[1, 1], [1, 1]]}, ["first"]),
    "jacobian": lambda c, params, data: c.jacobian(NET, params, data, ["first"]),
    "hvp": lambda c, params, data: c.hvp(NET, params, data, {"first.bias": [1, 1]}),
    "quadratic_form": lambda c, params, data: c.quadratic_form(NET, params, data, {"first.bias": [1, 1]}),
    "hessian_diagonal": lambda c, params, data: c.hessian_diagonal(NET, params, data),
    "per_example_gradients": lambda c, params, data: c.per_example_gradients(NET, params, data),
}


class Arrays:
    """An array of some other library: all that numpy knows of it is `__array__`."""

    def __init__(self, array: Any):
        self.array = array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.array if dtype is None else self.array.astype(dtype)


def torch_tensor(array: Any) -> Any:
    return import_module("torch").from_numpy(np.ascontiguousarray(array))


def jax_array(array: Any) -> Any:
    jax = import_module("jax")
    with jax.enable_x64(True):
        return jax.numpy.asarray(array)


def data_frame(array: Any) -> Any:
    pandas = import_module("pandas")
    return pandas.DataFrame(array) if np.ndim(array) == 2 else pandas.Series(array)


CONTAINERS: dict[str, Callable[[Any], Any]] = {
    "__array__": Arrays,
    "list of arrays": list,
    "tuple of arrays": tuple,
    "nothing masked": np.ma.masked_array,
    "subclass": lambda array: np.asarray(array).view(type("Sub", (np.ndarray,), {})),
    "other byte order": lambda array: array.astype(array.dtype.newbyteorder()),
    "strided": lambda array: np.repeat(array, 2, axis=0)[::2],
    "read-only": lambda array: np.broadcast_to(array, array.shape),
    "buffer": memoryview,
}
OTHERS = [
    pytest.param(torch_tensor, id="torch", marks=pytest.mark.torch),
    pytest.param(jax_array, id="jax", marks=pytest.mark.jax),
    pytest.param(data_frame, id="pandas", marks=pytest.mark.clients),
]
CONTAINED = [*(pytest.param(make, id=name) for name, make in CONTAINERS.items()), *OTHERS]

Sent = Mapping[str, tuple[str, tuple[int, ...], bytes]] | tuple[str, str]


def outcome(call: str, params: Mapping[str, Any], data: Mapping[str, Any]) -> Sent:
    """What a call sends of params and data, or the code and pointer it is refused with."""
    transport = Recorded({})
    try:
        CALLS[call](Client(transport=transport), params, data)
    except Refused as refused:
        return refused.code, refused.pointer
    except ServiceFailed:  # {} is no answer
        pass
    document = transport.document()
    arrays = document["params"] | document["data"]
    return {name: (array.dtype.name, array.shape, array.tobytes()) for name, array in arrays.items()}


@pytest.mark.parametrize("contain", CONTAINED)
@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "int32", "int64", "uint8"])
def test_every_container_is_treated_as_numpy_is(contain: Callable[[Any], Any], dtype: str) -> None:
    x, y = np.array([[1, 2], [3, 4]], dtype), np.array([0, 1], dtype)
    for params in (PARAMS, {name: array.astype("f4") for name, array in PARAMS.items()}):
        expected = outcome("gradients", params, DATA | {"x": x})
        assert outcome("gradients", params, DATA | {"x": contain(x)}) == expected
        labels = np.float32 if "first.bias" in params and params["first.bias"].dtype == "f4" else np.float64
        data = {"x": np.ones((2, 2), labels)}
        expected = outcome("gradients", params, data | {"y": y})
        given = outcome("gradients", params, data | {"y": contain(y)})
        if expected == ("dtype_mismatch", "/data/y/0"):  # a list of such numbers is refused as a whole
            assert given[0] == "dtype_mismatch"
        else:
            assert given == expected


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("contain", CONTAINED)
def test_every_call_has_the_same_rule(contain: Callable[[Any], Any], call: str) -> None:
    single = np.ones((2, 2), np.float32)
    assert outcome(call, PARAMS, DATA | {"x": contain(single)}) == ("dtype_mismatch", "/data/x")
    assert outcome(call, PARAMS, DATA | {"x": contain(SQUARE)}) == outcome(call, PARAMS, DATA)
    assert outcome(call, PARAMS | {"first.weight": contain(SQUARE)}, DATA) == outcome(call, PARAMS, DATA)


FLOATS = st.floats(width=64, allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70)
PAIRS = st.lists(st.lists(FLOATS, min_size=2, max_size=2), min_size=2, max_size=2)


@given(PAIRS, st.sampled_from([list, tuple, deque, lambda rows: [tuple(row) for row in rows], np.array]))
def test_numbers_without_a_dtype_become_the_nearest_of_the_requests(rows: Any, contain: Any) -> None:
    if contain is np.array and any(isinstance(n, int) and abs(n) >= 2**63 for row in rows for n in row):
        contain = list
    expected = np.array([[float(number) for number in row] for row in rows])
    if contain is np.array:
        rows = np.array(rows, object)
    sent = outcome("gradients", PARAMS, DATA | {"x": contain(rows)})
    assert sent["x"] == ("float64", (2, 2), expected.tobytes())  # type: ignore[call-overload,index]
    with np.errstate(over="ignore"):
        single = expected.astype("f4")
    params = {name: array.astype("f4") for name, array in PARAMS.items()}
    sent = outcome("gradients", params, DATA | {"x": contain(rows)})
    if np.isfinite(single).all():
        assert sent["x"] == ("float32", (2, 2), single.tobytes())  # type: ignore[call-overload,index]
    else:
        assert sent[0] == "tensor_invalid"  # type: ignore[index]


@pytest.mark.parametrize(
    "value, expected",
    [
        (range(2), [0, 1]),
        (buffer("d", [0.5, 1]), [0.5, 1]),
        ([np.float64(0.5), 1], [0.5, 1]),
        ([np.int8(2), np.uint64(2**63)], [2, 2.0**63]),
        (np.array([1, 0.5], object), [1, 0.5]),
        (np.float64(2), 2),
        (3, 3),
    ],
)
def test_other_ways_to_write_numbers(value: Any, expected: Any) -> None:
    sent = outcome("forward", PARAMS, {"x": value})
    array = np.array(expected, float)
    assert sent["x"] == ("float64", array.shape, array.tobytes())  # type: ignore[call-overload,index]


def test_numpys_scalars_have_their_dtype_but_float64_which_is_pythons() -> None:
    single = {name: array.astype("f4") for name, array in PARAMS.items()}
    for value in (np.float64(0.1), [np.float64(0.1)], 0.1):
        assert outcome("forward", single, {"x": value})["x"][0] == "float32"  # type: ignore[call-overload,index]
    for value in (np.float32(0.1), [np.float32(0.1)], [np.float32(0.1), 2.0]):
        assert outcome("forward", PARAMS, {"x": value}) == ("dtype_mismatch", "/data/x")


def test_arrays_in_a_list_fit_together() -> None:
    mixed = [np.ones(2), np.ones(2, "f4")]
    assert outcome("forward", PARAMS, {"x": mixed}) == ("dtype_mismatch", "/data/x/1")
    assert outcome("forward", PARAMS, {"x": [np.ones(2), [1, 2]]})["x"][1] == (2, 2)  # type: ignore[call-overload,index]
    assert outcome("forward", PARAMS, {"x": [np.ones(2), [1]]}) == ("tensor_invalid", "/data/x/1")


def refused(value: Any, place: str = "x") -> Fault:
    transport = Recorded({})
    with pytest.raises(Refused) as error:
        Client(transport=transport).gradients(NET, PARAMS, DATA | {place: value})
    assert not transport.requests
    return error.value.errors[0]


class Broken:
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise OverflowError("lost on the way")


ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)


@pytest.mark.parametrize(
    "value, code, pointer, words",
    [
        (np.ma.masked_array(SQUARE, [[0, 0], [0, 1]]), "tensor_invalid", "/1/1", "the number is masked"),
        ([1, np.ma.masked], "tensor_invalid", "/1", "the number is masked"),
        ([np.ma.masked_array([1.0], [True])], "tensor_invalid", "/0/0", "the number is masked"),
        (np.array([True]), "tensor_invalid", "/0", "got a boolean"),
        (True, "tensor_invalid", "", "got a boolean"),
        (np.array([1j]), "tensor_invalid", "/0", "got a complex number"),
        ("1", "tensor_invalid", "", "got a string"),
        (b"1", "tensor_invalid", "", "got a bytes"),
        (None, "tensor_invalid", "", "got null"),
        ([1, None], "tensor_invalid", "/1", "got null"),
        (object(), "tensor_invalid", "", "got a object"),
        ({1, 2}, "tensor_invalid", "", "got a set"),
        (np.array([1, None]), "tensor_invalid", "/1", "got null"),
        (np.float16([1]), "dtype_unsupported", "", "got float16: convert it with"),
        (np.longdouble([1]), "dtype_unsupported", "", f"got {np.dtype(np.longdouble).name}: convert it with"),
        (np.array(["2020"], "M8[s]"), "dtype_unsupported", "", "got datetime64[s]"),
        (np.zeros(2, [("a", float)]), "dtype_unsupported", "", "got [('a', '<f8')]"),
        (Broken(), "tensor_invalid", "", "not an array of numbers: lost on the way"),
        (ENDLESS, "shape_invalid", "/0" * 64, "nested more than 64 deep"),
        ([[1, 2], [3]], "tensor_invalid", "/1", "expected a list of 2"),
        ([10**5000], "tensor_invalid", "/0", "an integer of thousands of digits is out of the range"),
    ],
)
def test_what_has_no_numbers_is_refused_by_its_place(value: Any, code: str, pointer: str, words: str) -> None:
    fault = refused(value)
    assert (fault.code, fault.pointer) == (code, f"/data/x{pointer}")
    assert words in fault.detail


@pytest.mark.parametrize(
    "labels, place",
    [([0, 2**63], "/1"), (np.array([0, 2**63], np.uint64), "/1"), ([-(2**63) - 1, 0], "/0")],
)
def test_labels_out_of_the_range_of_int64(labels: Any, place: str) -> None:
    fault = refused(labels, "y")
    assert (fault.pointer, fault.code) == (f"/data/y{place}", "tensor_invalid")


@pytest.mark.torch
def test_tensors_of_torch_that_have_no_numbers_say_the_way_out() -> None:
    torch = import_module("torch")
    ones = torch.ones(2, 2, dtype=torch.float64)
    for tensor, code, words in (
        (ones.clone().requires_grad_(), "tensor_invalid", "pass .detach()"),
        (torch.nn.Parameter(ones), "tensor_invalid", "pass .detach()"),
        (ones.to_sparse(), "tensor_invalid", "pass .to_dense()"),
        (torch.ones(2, device="meta"), "tensor_invalid", "has no numbers"),
        (torch.ones(2, dtype=torch.bfloat16), "dtype_unsupported", "got bfloat16: convert it with .to(torch"),
        (torch.ones(2, dtype=torch.float16), "dtype_unsupported", "got float16: convert it with .to(torch"),
        (torch.ones(2).to(torch.float8_e4m3fn), "dtype_unsupported", "got float8_e4m3fn"),
        (torch.ones(2, dtype=torch.complex128), "tensor_invalid", "got a complex number"),
        (torch.ones(2, dtype=torch.bool), "tensor_invalid", "got a boolean"),
    ):
        fault = refused(tensor)
        assert fault.code == code and words in fault.detail, fault
    assert refused([ones[0], ones[0].clone().requires_grad_()]).pointer == "/data/x/1"


@pytest.mark.torch
def test_views_of_torch_that_numpy_does_not_have_are_right() -> None:
    torch = import_module("torch")
    spiral = torch.tensor([[1 + 2j, 3 - 4j], [0j, 1j]])
    expected = spiral.numpy().conj().imag.astype("f4")
    params = {name: array.astype("f4") for name, array in PARAMS.items()}
    sent = outcome("forward", params, {"x": spiral.conj().imag})
    assert sent["x"] == ("float32", (2, 2), expected.tobytes())  # type: ignore[call-overload,index]


@pytest.mark.jax
def test_arrays_of_jax_that_have_no_numbers() -> None:
    jax = import_module("jax")
    fault = refused(jax.numpy.ones(2, jax.numpy.bfloat16))
    assert fault.code == "dtype_unsupported" and "got bfloat16: convert it with .astype" in fault.detail
    faults = []

    def traced(x: Any) -> Any:
        faults.append(refused(x))
        return x

    jax.jit(traced)(np.ones(2))
    assert faults[0].code == "tensor_invalid" and "not an array of numbers" in faults[0].detail


# Options: arrays there are lists of JSON, for every call.


def summed(axes: Any) -> Network:
    net = Network()
    net.loss = net.layer("sum", net.input("x", (2,)), axes=axes, name="s")
    return net


@pytest.mark.parametrize("axes", [np.array([0]), (0,), [np.int64(0)], range(1), Arrays(np.array([0]))])
def test_an_array_as_an_option_is_a_list_for_every_call(axes: Any) -> None:
    client, data = Client(), {"x": np.ones((1, 2))}
    plain = summed([0])
    spec = {"inputs": {"x": {"shape": np.array([2])}}, "nodes": [{"name": "s", "kind": "sum"}], "loss": "s"}
    spec["nodes"][0]["config"] = {"axes": axes}  # type: ignore[index]
    assert summed(axes).spec() == plain.spec()
    for network in (summed(axes), spec):
        assert client.plan(network)["network_id"] == client.plan(plain)["network_id"]
        answer = client.gradients(network, {}, data, wrt={"data": True})
        assert answer.network_id == client.plan(plain)["network_id"]
        assert answer.data["x"].tolist() == [[1, 1]]
        for dtype in ("float32", "float64"):
            assert client.value_and_grad(network, {}, {"x": np.ones((1, 2), dtype)})[0] == 2
        assert client.check(network, {}, data)["passed"]


@pytest.mark.torch
def test_torchs_sizes_are_shapes() -> None:
    torch = import_module("torch")
    net = Network()
    net.loss = net.layer(
        "sum", net.layer("reshape", net.input("x", torch.Size([2])), shape=torch.Size([2, 1]))
    )
    assert Client().value_and_grad(net, {}, {"x": np.ones((1, 2))})[0] == 2
    assert net.spec()["nodes"][0]["config"] == {"shape": [2, 1]}


def test_options_of_calls_may_be_numpys() -> None:
    client = Client()
    assert client.plan(NET, np.array(3)) == client.plan(NET, np.int64(3)) == client.plan(NET, 3)
    names = np.array(["first"])
    assert client.forward(NET, PARAMS, DATA, names).keys() == {"first"}
    first = client.init(NET, seed=np.uint8(3))["first.weight"]
    assert (first == client.init(NET, seed=3)["first.weight"]).all()
    checked = client.check(NET, PARAMS, DATA, samples=np.array(1), wrt={"data": np.array(["x"])})
    assert {array["checked"] for array in checked["arrays"]} == {1}


@pytest.mark.parametrize(
    "make, pointer",
    [
        (lambda: summed(object()), "/nodes/0/config/axes"),
        (lambda: summed({0}), "/nodes/0/config/axes"),
        (lambda: summed([0, 1j]), "/nodes/0/config/axes/1"),
        (lambda: summed(ENDLESS), "/nodes/0/config/axes" + "/0" * 64),
        (lambda: Client().plan({"inputs": {}, "nodes": [b""]}), "/network/nodes/0"),
        (lambda: Client().plan(NET, batch=object()), "/batch"),  # type: ignore[arg-type]
    ],
)
def test_an_option_that_json_does_not_have_is_named(make: Callable[[], Any], pointer: str) -> None:
    with pytest.raises(Refused) as error:
        make()
    assert (error.value.code, error.value.pointer) == ("field_invalid", pointer)
