"""What may be given in an argument's place; of all else is said which argument it is, and what goes there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from deltawire import Client, Fault, Network, Refused, Retries
from deltawire.request_builder import inputs_of, parameters_among

CLIENT = Client()
PARAMS = {"first.weight": np.ones((2, 3)), "first.bias": np.zeros(2)}
DATA = {"x": np.ones((2, 3)), "y": np.array([0, 1])}
CALLS: dict[str, Callable[..., Any]] = {
    "gradients": CLIENT.gradients,
    "forward": lambda *a, **k: CLIENT.forward(*a, ["first"], **k),
    "plan": lambda network, params, data: CLIENT.plan(network),
    "vjp": lambda *a, **k: CLIENT.vjp(*a, {"first": np.ones((2, 2))}, **k),
    "hvp": lambda *a, **k: CLIENT.hvp(*a, {"first.bias": np.ones(2)}, **k),
}


def built() -> Network:
    net = Network()
    scores = net.layer("linear", net.input("x", (3,)), units=2, name="first")
    net.layer("softmax_nll", scores, net.input("y", dtype="int64"), name="loss")
    return net


NET = built()


def fault(call: Callable[[], Any]) -> Fault:
    with pytest.raises(Refused) as refused:
        call()
    return refused.value.errors[0]


def test_handles_go_where_names_go() -> None:
    scores, x, y = NET["first"], NET["x"], NET["y"]
    by_handle, by_name = {x: DATA["x"], y: DATA["y"]}, CLIENT.gradients(NET, PARAMS, DATA, deltas=["first"])
    found = CLIENT.gradients(NET, PARAMS, by_handle, values=[scores], deltas=[scores], wrt={"data": [x]})
    np.testing.assert_array_equal(found.deltas["first"], by_name.deltas["first"])
    assert found.values.keys() == {"first"} and found.data.keys() == {"x"}
    assert CLIENT.forward(NET, PARAMS, by_handle, [scores]).keys() == {"first"}
    assert CLIENT.jacobian(NET, PARAMS, by_handle, [scores])["first"].keys() == PARAMS.keys()
    assert CLIENT.vjp(NET, PARAMS, by_handle, {scores: np.ones((2, 2))}).keys() == PARAMS.keys()
    assert CLIENT.jvp(NET, PARAMS, DATA, {x: np.ones((2, 3))}, [scores])[1].keys() == {"first"}
    assert CLIENT.plan(NET, deltas=[scores]) == CLIENT.plan(NET, deltas=["first"])


@pytest.mark.parametrize("call", CALLS)
def test_a_network_that_is_none(call: str) -> None:
    for wrong in ("digits", None, 7):
        told = fault(lambda wrong=wrong: CALLS[call](wrong, PARAMS, DATA))
        assert (told.pointer, told.code) == ("/network", "field_invalid")
        assert 'client.published("its name")' in told.detail


@pytest.mark.parametrize(
    "call, pointer, words",
    [
        (lambda: CLIENT.gradients(NET, None, DATA), "/params", "by name ({} for none), got None"),
        (lambda: CLIENT.gradients(NET, PARAMS, [1]), "/data", "dict of arrays by name"),
        (lambda: CLIENT.gradients(NET, PARAMS, DATA, wrt=["first.weight"]), "/wrt", '{"params": True, False'),
        (lambda: CLIENT.gradients(NET, PARAMS, DATA, wrt={"data": 1}), "/wrt/data", "a list of names"),
        (lambda: CLIENT.forward(NET, PARAMS, DATA, 3), "/values", "a list of names or handles, got 3"),
        (lambda: CLIENT.forward(NET, PARAMS, DATA, NET["first"]), "/values", "got Handle('first')"),
        (lambda: CLIENT.gradients(NET, PARAMS, DATA, deltas={"first": 1}), "/deltas", "a list of names"),
        (lambda: CLIENT.hvp(NET, PARAMS, DATA, None), "/vectors", "dict of arrays by name"),
        (
            lambda: CLIENT.hvp(NET, PARAMS, DATA, {"params": {"first.bias": np.ones(2)}}),
            "/vectors",
            "not below params and data: vectors={'hidden.weight': …, 'x': …}",
        ),
        (
            lambda: CLIENT.jvp(NET, PARAMS, DATA, {"data": {"x": DATA["x"]}}, ["first"]),
            "/tangents",
            "not below params and data",
        ),
        (lambda: built().input("z", 3), "/inputs/z/shape", "expected sizes of axes, as (3,), got 3"),
        (lambda: built().layer("linear", "x", 5), "/nodes/2/inputs/1", "config goes by keyword, as units=4"),
        (lambda: built().layer(3, "x"), "/nodes/2/kind", "the kind of a layer first, as in layer"),
    ],
)  # fmt: skip
def test_an_argument_of_another_kind_is_named_with_what_goes_there(
    call: Callable[[], Any], pointer: str, words: str
) -> None:
    told = fault(call)
    assert (told.pointer, told.code) == (pointer, "field_invalid")
    assert words in told.detail


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: Client(retries=3), "retries: expected Retries"),
        (lambda: Retries(attempts=0), "attempts: expected at least 1, got 0"),
        (lambda: Client("127.0.0.1:8000"), "with its scheme, as in http://"),
        (lambda: Client(media_type="json"), "media_type: expected one of application/json"),
        (lambda: Client(api_key="a key\n"), "api_key: "),
    ],
)
def test_a_client_is_not_made_of_what_cannot_be_one(make: Callable[[], Any], words: str) -> None:
    with pytest.raises((TypeError, ValueError), match=words):
        make()


def single(**arrays: Any) -> dict[str, Any]:
    return {name: np.asarray(array, np.float32) for name, array in arrays.items()}


@pytest.mark.parametrize(
    "call, pointer",
    [
        (lambda: CLIENT.gradients(NET, PARAMS, DATA | single(x=DATA["x"])), "/data/x"),
        (lambda: CLIENT.check(NET, PARAMS | {"first.bias": np.zeros(2, "f4")}, DATA), "/params/first.bias"),
        (lambda: CLIENT.vjp(NET, PARAMS, DATA, single(first=np.ones((2, 2)))), "/cotangents/first"),
        (lambda: CLIENT.hvp(NET, PARAMS, DATA, single(x=np.ones((2, 3)))), "/vectors/data/x"),
    ],
)
def test_an_array_of_another_dtype_is_named(call: Callable[[], Any], pointer: str) -> None:
    told = fault(call)
    assert (told.pointer, told.code) == (pointer, "dtype_mismatch")
    assert told.detail == (
        'expected float64, as /params/first.weight is, got float32: convert it with .astype("float64")'
    )


@pytest.mark.parametrize(
    "labels, place, words",
    [
        (np.array([0.0, 1.0]), "/0", "got 0.0 in example 0: convert them with .astype(int)"),
        ([0, 0.5], "/1", "got 0.5 in example 1"),
        ([0, float("nan")], "/1", "got NaN in example 1"),
        ([0, float("inf")], "/1", "got Infinity in example 1"),
        (np.float32(1), "", "got 1.0: convert them with .astype(int)"),
    ],
)
def test_labels_that_are_no_integers_are_named_whatever_the_dtype_of_the_rest(
    labels: Any, place: str, words: str
) -> None:
    params = single(**PARAMS)
    told = fault(lambda: CLIENT.gradients(NET, params, single(x=DATA["x"]) | {"y": labels}))
    assert (told.pointer, told.code) == (f"/data/y{place}", "dtype_mismatch")
    assert words in told.detail
    if "astype" not in words:
        assert "astype" not in told.detail  # which would change them


def test_an_empty_list_has_no_dtype() -> None:
    assert fault(lambda: CLIENT.gradients(NET, PARAMS, {"x": np.ones((0, 3)), "y": []})).code == "batch_empty"


def test_complex_numbers_are_called_so() -> None:
    told = fault(lambda: CLIENT.gradients(NET, PARAMS, DATA | {"x": np.ones((2, 3), complex)}))
    assert told == Fault(
        "/data/x/0/0", "tensor_invalid", "expected a number, got a complex number in example 0"
    )


def test_dtypes_of_numpy_are_dtypes() -> None:
    for dtype in (np.float32, np.dtype("f4"), "float32"):
        assert {array.dtype.name for array in CLIENT.init(NET, dtype=dtype).values()} == {"float32"}
        assert CLIENT.plan(NET, 2, dtype=dtype) == CLIENT.plan(NET, 2, dtype="float32")
    for dtype in (np.float16, [1], "float9"):
        told = fault(lambda dtype=dtype: CLIENT.init(NET, dtype=dtype))
        assert (told.pointer, told.code) == ("/dtype", "dtype_unsupported")


def test_networks_and_clients_say_what_they_are() -> None:
    assert repr(NET) == "Network(x, y -> first, loss)"
    assert repr(CLIENT) == "Client(transport=EmbeddedTransport())"
    assert repr(Client("http://user:secret@127.0.0.1:8000/")) == (
        "Client(transport=HTTPTransport('http://127.0.0.1:8000'))"
    )


def test_parameters_are_told_from_inputs_by_the_spec() -> None:
    net = Network()
    net.layer("linear", net.input("x", (3,)) + net.parameter("shift", (3,), constant=0), units=2, name="out")
    names = ["x", "shift", "out.weight", "other"]
    assert parameters_among(net.spec(), names) == ["shift", "out.weight"]
    assert list(inputs_of(net.spec())) == ["x"]
    assert parameters_among({"inputs": ["x"]}, names) == ["out.weight"]


NODE = {"kind": "relu", "name": "a"}
X = {"inputs": {"x": {"shape": [3]}}}


@pytest.mark.parametrize(
    ("network", "pointer"),
    [
        (X, "/network/nodes"),
        (X | {"nodes": 3}, "/network/nodes"),
        (X | {"nodes": ["relu"]}, "/network/nodes/0"),
        (X | {"nodes": [{"name": "a"}]}, "/network/nodes/0/kind"),
        (X | {"nodes": [NODE | {"name": ["a"]}]}, "/network/nodes/0/name"),
        (X | {"nodes": [NODE | {"inputs": 3}]}, "/network/nodes/0/inputs"),
        (X | {"nodes": [NODE | {"inputs": [["x"]]}]}, "/network/nodes/0/inputs"),
        (X | {"nodes": [NODE | {"inputs": ["z"]}]}, "/network/nodes/0/inputs/0"),
        (X | {"nodes": [NODE | {"inputs": ["a"]}]}, "/network/nodes/0/inputs"),
        (X | {"nodes": [NODE, NODE]}, "/network/nodes/1/name"),
        ({"inputs": ["x"], "nodes": [NODE]}, "/network/inputs"),
        ({"inputs": {"x": 3}, "nodes": [NODE]}, "/network/inputs/x"),
    ],
)
def test_forward_without_values_names_the_place_in_a_wrong_network(network: Any, pointer: str) -> None:
    assert fault(lambda: CLIENT.forward(network, {}, {"x": DATA["x"]})).pointer == pointer


@pytest.mark.parametrize("data", [{}, {"z": DATA["x"]}])
def test_forward_without_values_names_the_input_that_is_missing(data: Any) -> None:
    with pytest.raises(Refused) as refused:
        CLIENT.forward(X | {"nodes": [NODE]}, {}, data)
    assert [each.pointer for each in refused.value.errors] == [*(f"/data/{name}" for name in data), "/data/x"]


def test_a_number_of_a_shared_input_or_of_a_parameter_is_of_no_example() -> None:
    net = Network()
    net.layer("dot", net.input("x", (2,)), net.input("w", (2,), shared=True))
    x, w = [[1, 2], [3, 4]], [1, 2]
    in_x = fault(lambda: CLIENT.forward(net, {}, {"x": [[1, 2], [3, "a"]], "w": w}))
    in_w = fault(lambda: CLIENT.forward(net, {}, {"x": x, "w": [1, "a"]}))
    assert (in_x.pointer, in_w.pointer) == ("/data/x/1/1", "/data/w/1")
    assert (in_x.detail, in_w.detail) == (
        "expected a number, got a string in example 1",
        "expected a number, got a string",
    )
    in_params = fault(lambda: CLIENT.gradients(NET, PARAMS | {"first.bias": [0, "a"]}, DATA))
    assert in_params.detail == "expected a number, got a string"
