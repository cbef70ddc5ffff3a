"""The body format: what goes in comes out, bit by bit; what is no number, or too much, is refused."""

from __future__ import annotations

import base64
import json
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from support.switching import longest_hold

from deltawire import wire
from deltawire.errors import Refused
from deltawire.wire import json as json_bodies
from deltawire.wire import tensors as tensor_leaves

TENSOR = st.sampled_from(list(wire.DTYPES)).flatmap(
    lambda dtype: arrays_of.arrays(
        dtype,
        arrays_of.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
        elements={"allow_nan": True, "allow_infinity": True} if dtype != "int64" else None,
    )
)
TEXT = st.text(alphabet='[]{}:,"\\/ ab\n\té', max_size=12)
DOCUMENT = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=30,
)


def same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def through_a_body(array: np.ndarray, tensors: str) -> np.ndarray:
    document = wire.decode(wire.encode({"x": array}, wire.JSON, tensors), wire.JSON)
    return wire.read_tensor(document["x"], array.dtype.name)


def depth(document: Any) -> int:
    if isinstance(document, dict):
        document = list(document.values())
    return 1 + max(map(depth, document), default=0) if isinstance(document, list) else 0


def members(document: Any) -> int:
    if isinstance(document, dict):
        return 1 + len(document) + sum(map(members, document.values()))
    return sum(map(members, document)) if isinstance(document, list) else 0


@given(TENSOR, st.booleans())
def test_base64_gives_every_array_back_bit_by_bit(array: np.ndarray, transposed: bool) -> None:
    array = array.T if transposed else array
    assert same(through_a_body(array, "base64"), array)


@given(TENSOR, st.booleans())
def test_lists_give_every_finite_array_back_bit_by_bit(array: np.ndarray, transposed: bool) -> None:
    array = np.nan_to_num(array.T if transposed else array, nan=0.5, posinf=1.5, neginf=-1.5)
    back = through_a_body(array, "lists")
    if 0 in array.shape:  # nested lists end at the first axis without numbers
        assert back.size == 0 and back.dtype == array.dtype
    else:
        assert same(back, array)


@pytest.mark.parametrize("tensors", wire.TENSORS)
def test_zeros_with_a_sign_and_denormals_survive(tensors: str) -> None:
    for dtype in (np.float32, np.float64):
        array = np.array([[-0.0, np.finfo(dtype).smallest_subnormal], [np.finfo(dtype).max, 0.1]], dtype)
        assert same(through_a_body(array, tensors), array)
        assert same(through_a_body(array[:, 1], tensors), array[:, 1])


def test_base64_is_little_endian_whatever_the_array_is() -> None:
    array = np.array([1.0, 2.0], ">f8")
    encoded = json.loads(wire.encode(array, wire.JSON, "base64"))
    assert encoded == json.loads(wire.encode(array.astype("<f8"), wire.JSON, "base64"))
    assert same(wire.read_tensor(encoded, "float64"), np.array([1.0, 2.0]))


def test_float32_is_written_with_the_digits_it_has() -> None:
    assert wire.encode(np.float32([0.1, 16777216]), wire.JSON) == b"[0.1,16777216.0]"


def test_numbers_that_are_not_finite_are_strings() -> None:
    document = {"a": float("nan"), "b": [float("-inf")], "c": np.array([[np.inf, 1.0], [np.nan, -np.inf]])}
    expected = {"a": "NaN", "b": ["-Infinity"], "c": [["Infinity", 1.0], ["NaN", "-Infinity"]]}
    assert json.loads(wire.encode(document, wire.JSON)) == expected
    assert wire.encode(np.array(np.nan), wire.JSON) == b'"NaN"'


LARGE = {
    "a": {"x": np.arange(250_000.0), "y": np.arange(300_000.0).reshape(3, 100_000).T},
    "b": [np.arange(200_000, dtype=np.float32).reshape(100_000, 1, 2), {"nothing": None, "\0": "\0"}],
    "c": np.zeros((2, 2, 60_000))[:, ::-1],
    "d": np.ones((0, 3)),
    "e": np.array(1.5),
    "f": wire.Base64(np.arange(200_001.0)),
}


@pytest.mark.parametrize("tensors", wire.TENSORS)
def test_a_large_document_is_written_in_pieces_that_together_are_its_text(tensors: str) -> None:
    pieces = wire.encode_in_parts(LARGE, wire.JSON, tensors)
    assert len(pieces) > 10 and max(map(len, pieces)) < 5 * 2**20
    got = json.loads(b"".join(pieces))
    for expected, leaf in (
        (LARGE["a"]["x"], got["a"]["x"]),
        (LARGE["a"]["y"], got["a"]["y"]),
        (LARGE["b"][0], got["b"][0]),
        (LARGE["c"], got["c"]),
        (LARGE["e"], got["e"]),
    ):
        assert same(wire.read_tensor(leaf, expected.dtype.name), expected)
    assert got["b"][1] == {"nothing": None, "\0": "\0"}
    assert base64.b64decode(got["f"]) == LARGE["f"].array.tobytes()


@pytest.mark.parametrize("tensors", wire.TENSORS)
@given(document=st.dictionaries(TEXT, TENSOR | st.floats() | DOCUMENT, max_size=4))
def test_pieces_of_any_size_are_the_same_text(tensors: str, document: dict[str, Any]) -> None:
    whole = wire.encode(document, wire.JSON, tensors)
    with pytest.MonkeyPatch.context() as patched:
        for module in (json_bodies, tensor_leaves):
            patched.setattr(module, "PIECE_NUMBERS", 6)
        patched.setattr(json_bodies, "JOINED_BYTES", 1)
        assert wire.encode(document, wire.JSON, tensors) == whole
    json.loads(whole, parse_constant=pytest.fail)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_number_that_is_not_finite_changes_no_other(dtype: str) -> None:
    numbers = np.random.default_rng(0).normal(size=(3, 70_000)).astype(dtype)
    finite = json.loads(wire.encode(numbers, wire.JSON))
    numbers[0, 1], numbers[1, 2], numbers[2, -1] = np.nan, np.inf, -np.inf
    finite[0][1], finite[1][2], finite[2][-1] = "NaN", "Infinity", "-Infinity"
    assert json.loads(wire.encode({"x": numbers}, wire.JSON)) == {"x": finite}


@pytest.mark.parametrize("tensors, copies", [("lists", 25 / 8), ("base64", 4 / 3)])
def test_writing_takes_the_memory_of_the_text_and_little_more(tensors: str, copies: float) -> None:
    numbers = np.random.default_rng(0).normal(size=(1000, 1000)) * 1e-300
    numbers[5, 5] = np.nan
    tracemalloc.start()
    text = wire.encode_in_parts({"x": numbers.T}, wire.JSON, tensors)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < sum(map(len, text)) + 16 * 2**20 < numbers.nbytes * copies + 17 * 2**20


@pytest.mark.parametrize("scanned", [2**20, 7, 2])
@given(document=DOCUMENT)
def test_documents_pass_unchanged_and_exactly_up_to_their_limits(scanned: int, document: Any) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(json_bodies, "SCANNED_BYTES", scanned)
        check_limits(document)


def check_limits(document: Any) -> None:
    for body in (json.dumps(document).encode(), json.dumps(document, ensure_ascii=False).encode()):
        d, m = depth(document), members(document)
        assert wire.decode(body, wire.JSON, wire.Limits(depth=d, members=m)) == document
        for limits, code in (
            (wire.Limits(depth=d - 1, members=m), "json_too_deep"),
            (wire.Limits(depth=d, members=m - 1), "json_too_many_members"),
        ):
            if min(limits.depth, limits.members) >= 0:
                with pytest.raises(Refused) as refused:
                    wire.decode(body, wire.JSON, limits)
                assert refused.value.code == code


@pytest.mark.parametrize("before", range(-24, 8))
def test_limits_hold_wherever_the_body_is_cut_for_the_look_ahead(before: int) -> None:
    text = ' "[[["\\"{{{:: '  # inside a string, none of this counts
    document = ["x" * (2**20 + before), text, [[[{"a:": text, "b": 0}]]]]
    body = json.dumps(document).encode()
    assert wire.decode(body, wire.JSON, wire.Limits(depth=5, members=3)) == document
    for limits in (wire.Limits(depth=4, members=3), wire.Limits(depth=5, members=2)):
        with pytest.raises(Refused):
            wire.decode(body, wire.JSON, limits)


@pytest.mark.parametrize("odd", ["NaN", "Infinity", "-Infinity"])
def test_what_json_does_not_have_is_called_by_its_name(odd: str) -> None:
    with pytest.raises(Refused, match="JSON has no NaN and no Infinity"):
        wire.decode(f'{{"é": [1, {odd}]}}'.encode(), wire.JSON)
    with pytest.raises(Refused) as refused:
        wire.decode(b'{"NaN": [1,]}', wire.JSON)
    assert "Infinity" not in str(refused.value)


@pytest.mark.parametrize("media_type, tensors", [(wire.JSON, "lists"), (wire.JSON, "base64")])
def test_other_threads_run_while_a_large_body_is_written(media_type: str, tensors: str) -> None:
    numbers = np.random.default_rng(0).normal(size=(2000, 2000))
    numbers[::3, 5] = np.inf
    document = {"a": numbers, "b": numbers.T, "c": {f"n{place}": numbers[place] for place in range(500)}}
    holds = [longest_hold(lambda: wire.encode_in_parts(document, media_type, tensors)) for _ in range(3)]
    assert min(holds) < 0.05  # others use the same caches and memory


def test_other_threads_run_while_lists_become_arrays() -> None:
    lists = [[0] * 2000 for _ in range(2000)]
    assert longest_hold(lambda: wire.read_tensor(lists, "float64")) < 0.05
