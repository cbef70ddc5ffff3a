"""Binary bodies: bit by bit what went in, strict about all else, and whole to the safetensors library too."""

from __future__ import annotations

import json
import os
import random
import tracemalloc
from typing import Any

import numpy as np
import pytest
import safetensors
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from safetensors.numpy import save

from deltawire import wire
from deltawire.errors import Refused

ARRAY = st.sampled_from(list(wire.DTYPES)).flatmap(
    lambda dtype: arrays_of.arrays(
        dtype,
        arrays_of.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
        elements={"allow_nan": True, "allow_infinity": True} if dtype != "int64" else None,
    )
)
NAME = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,9}(\.[a-z]{1,4})?", fullmatch=True)
THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
MUTANTS = int(os.environ.get("MUTANTS", 100_000 if THOROUGH else 2_000))


def same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def decoded(body: bytes, **limits: int) -> Any:
    return wire.decode(body, wire.SAFETENSORS, wire.Limits(**limits))


def refused(body: bytes, **limits: int) -> str:
    with pytest.raises(Refused) as told:
        decoded(body, **limits)
    return told.value.code


def body_of(header: Any, numbers: bytes = b"", size: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if size is None else size).to_bytes(8, "little") + text + numbers


def entry(start: int, end: int, shape: Any = None, dtype: Any = "F32") -> dict[str, Any]:
    shape = [(end - start) // 4] if shape is None else shape
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


META = {"__metadata__": {"request": "{}"}}
GOOD = wire.encode(
    {"network": {}, "params": {"a.weight": np.ones((2, 3), np.float32)}, "data": {"y": np.arange(3), "z": 1}},
    wire.SAFETENSORS,
)


@given(st.dictionaries(NAME, ARRAY, max_size=4), st.dictionaries(NAME, ARRAY, max_size=4), st.integers(0, 2))
def test_every_array_comes_back_bit_by_bit(
    params: dict[str, np.ndarray], data: dict[str, np.ndarray], way: int
) -> None:
    view = [
        lambda array: array,
        lambda array: array.T,
        lambda array: array[..., ::-1] if array.ndim else array,
    ]
    document = {"n": [1, "é"], "params": {k: view[way](v) for k, v in params.items()}, "data": data}
    body = wire.encode(document, wire.SAFETENSORS)
    back = decoded(body)
    assert back.keys() == document.keys() and back["n"] == document["n"]
    for place in ("params", "data"):
        assert back[place].keys() == document[place].keys()
        for name, array in back[place].items():
            assert same(array, document[place][name])
            assert array.flags.aligned and not array.flags.writeable
            assert not array.size or np.shares_memory(array, np.frombuffer(body, np.uint8))
    theirs = safetensors.deserialize(body)
    assert {name: bytes(tensor["data"]) for name, tensor in theirs} == {
        f"{place}/{name}": array.tobytes()
        for place in ("params", "data")
        for name, array in back[place].items()
    }


def test_nan_payloads_signed_zeros_and_denormals_survive() -> None:
    bits = np.array([0x7FF8000000000123, 0xFFF0000000000001, 1 << 63, 1], np.uint64)
    array = bits.view(np.float64)
    assert same(decoded(wire.encode({"data": {"x": array}}, wire.SAFETENSORS))["data"]["x"], array)


def test_a_misaligned_tensor_is_copied() -> None:
    header = json.dumps(META | {"data/x": entry(0, 8)}).encode()
    for spaces in range(4):  # three of which put the numbers where no float32 may lie
        body = body_of(header + b" " * spaces, np.float32([1, 2]).tobytes())
        array = decoded(body)["data"]["x"]
        assert array.tolist() == [1, 2] and array.flags.aligned and not array.flags.writeable


def test_a_checkpoint_of_another_writer_is_read() -> None:
    weight = np.arange(6, dtype=np.float32).reshape(2, 3)
    request = {"data": {"x": [[1, 2, 3]]}}
    document = decoded(save({"h.weight": weight}, metadata={"format": "np", "request": json.dumps(request)}))
    assert document["data"] == request["data"] and same(document["params"]["h.weight"], weight)


def test_a_header_spelled_in_another_way_is_read_with_care() -> None:
    spaced = json.dumps(META | {"data/x": entry(0, 4)}, indent=1).encode()
    escaped = (
        b'{"\\u005f_metadata__":{"request":"{}"},"data/x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    )
    for text in (spaced, escaped):
        assert decoded(body_of(text, bytes(4)))["data"]["x"].tolist() == [0]
        twice = text[:-1] + b',"\\u0064ata/x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
        assert refused(body_of(twice, bytes(4))) == "tensor_body_invalid"
    assert (
        refused(body_of(b'{"__metadata__":{"request":"{}","a":"\\u003a","a":""}}')) == "tensor_body_invalid"
    )


def test_arrays_can_be_written_to_where_the_body_can() -> None:
    body = bytearray(wire.encode({"data": {"x": np.ones(3), "y": np.ones(2, np.float32)}}, wire.SAFETENSORS))
    data = wire.decode(memoryview(body), wire.SAFETENSORS)["data"]
    data["x"][1] = 2.0
    assert wire.decode(bytes(body), wire.SAFETENSORS)["data"]["x"].tolist() == [1.0, 2.0, 1.0]
    for spaces in range(4):
        shifted = bytearray(
            body_of(json.dumps(META | {"data/x": entry(0, 8)}).encode() + b" " * spaces, bytes(8))
        )
        assert decoded(shifted)["data"]["x"].flags.writeable


def test_answers_have_their_own_places() -> None:
    array = np.ones(2)
    answer = {
        "loss": float("nan"), "losses": array, "values": {"h": array}, "deltas": {"h": array},
        "gradients": {"params": {"h.weight": array}, "data": {}}, "params": {"b": array},
    }  # fmt: skip
    body = wire.encode(answer, wire.SAFETENSORS, part="response")
    back = wire.decode(body, wire.SAFETENSORS, part="response")
    assert back["loss"] == "NaN" and back["gradients"]["data"] == {}
    assert same(back["gradients"]["params"]["h.weight"], array) and same(back["losses"], array)
    assert refused(body) == "tensor_body_invalid"


X = np.arange(6.0).reshape(2, 3)


def test_models_have_places_of_their_own() -> None:
    for document, part in (
        ({"gradients": {"a.b": X}}, "request"),
        ({"state": {"a.b.exp_avg": X}}, "response"),
    ):
        body = wire.encode(document, wire.SAFETENSORS, part=part)
        (place,) = document
        (array,) = wire.decode(body, wire.SAFETENSORS, part=part)[place].values()
        assert array.tobytes() == X.tobytes()
    for document, part in (({"state": {"a.b": X}}, "request"), ({"gradients": {"a.b": X}}, "response")):
        with pytest.raises(Refused, match="is not"):
            wire.decode(wire.encode(document, wire.SAFETENSORS, part=part), wire.SAFETENSORS, part=part)


def test_cut_at_every_byte_or_longer_it_is_refused() -> None:
    decoded(GOOD)
    for end in range(len(GOOD)):
        assert refused(GOOD[:end]) == "tensor_body_invalid", end
    assert refused(GOOD + b"\0") == "tensor_body_invalid"


@pytest.mark.parametrize(
    "body",
    [
        body_of(b""),
        body_of(META, size=2**63),
        body_of(META, size=len(json.dumps(META)) + 1),
        body_of(b" " + json.dumps(META).encode()),
        body_of(b'{"__metadata__":{"request":"{}","request":"{}"}}'),
        body_of(b'{"__metadata__":{"request":"{}"},"__metadata__":{"request":"{}"}}'),
        body_of(b'{"__metadata__":{"request":"{}"},"x":NaN}'),
        body_of(b'{"__metadata__":{"request":"{}","\xff":""}}'),
        body_of(b'{"__metadata__":{"request":"{}","a":"\\ud800"}}'),
        body_of(b'{"a":' + b"[" * 60_000),
        body_of(b'{"__metadata__":{"request":"{}"},"x":{"dtype":"F32","shape":[0],"data_offsets":[-0,0]}}'),
        body_of({}),
        body_of({"__metadata__": {"response": "{}"}}),
        body_of({"__metadata__": {"request": {}}}),
        body_of({"__metadata__": []}),
        body_of({"__metadata__": {"request": "[]"}, "x": entry(0, 4)}, bytes(4)),
        body_of({"__metadata__": {"request": '{"data": {"x": 1}}'}, "data/x": entry(0, 4)}, bytes(4)),
        body_of(META | {"x": entry(0, 4), "params/x": entry(4, 8)}, bytes(8)),
        body_of(META | {"x": entry(0, 8), "y": entry(4, 12)}, bytes(12)),
        body_of(META | {"x": entry(0, 4), "y": entry(8, 12)}, bytes(12)),
        body_of(META | {"x": entry(4, 8)}, bytes(8)),
        body_of(META | {"x": entry(0, 4)}, bytes(5)),
        body_of(META | {"x": entry(0, 8)}, bytes(4)),
        body_of(META | {"x": entry(4, 0, [1])}, bytes(4)),
        body_of(META | {"x": entry(-4, 0, [1])}, bytes(4)),
        body_of(META | {"x": entry(0, 8, [1])}, bytes(8)),
        body_of(META | {"x": entry(0, 4) | {"more": 1}}, bytes(4)),
        body_of(META | {"x": {"dtype": "F32", "shape": [0]}}),
        body_of(META | {"x": entry(0, 0) | {"data_offsets": [0.0, 0]}}),
        body_of(META | {"x": entry(0, 0) | {"data_offsets": [False, 0]}}),
        *(
            body_of(META | {name: entry(0, 4)}, bytes(4))
            for name in (
                "a\r\nb",
                "../x",
                "data/../x",
                "data/",
                "/x",
                "",
                "values/h",
                "data/x\n",
                "é",
                "a" * 300,
            )
        ),
    ],
)
def test_what_is_not_well_formed_is_refused(body: bytes) -> None:
    assert refused(body) == "tensor_body_invalid"


@pytest.mark.parametrize(
    "wrong, code",
    [
        (entry(0, 4, dtype="BF16"), "dtype_unsupported"),
        (entry(0, 4, dtype=["F32"]), "dtype_unsupported"),
        (entry(0, 4, [-1]), "shape_invalid"),
        (entry(0, 4, [1.0]), "shape_invalid"),
        (entry(0, 4, [True]), "shape_invalid"),
        (entry(0, 4, 1), "shape_invalid"),
        (entry(0, 4, [1] * 9), "shape_invalid"),
        (entry(0, 4, [0, 2**62]), "shape_too_large"),
        (entry(0, 0, [0, 2**26, 2**26, 2**26]), "shape_too_large"),
        (entry(0, 4, [2**32, 2**32]), "shape_too_large"),
    ],
)
def test_what_no_tensor_may_be_is_refused_with_its_place(wrong: dict[str, Any], code: str) -> None:
    with pytest.raises(Refused) as told:
        decoded(body_of(META | {"x": wrong}, bytes(4)))
    assert told.value.code == code and told.value.pointer.startswith("/params/x")


def test_limits_of_the_header() -> None:
    size = int.from_bytes(GOOD[:8], "little")
    decoded(GOOD, tensor_header_bytes=size, tensors=2)
    assert refused(GOOD, tensor_header_bytes=size - 1) == "tensor_header_too_large"
    assert refused(GOOD, tensors=1) == "too_many_tensors"
    assert refused(body_of(b"x" * (2**20 + 1))) == "tensor_header_too_large"


def mutant(rng: random.Random) -> bytes:
    """A well-formed body with one to three changes to its header's structure or its bytes."""
    header: dict[str, Any] = {"__metadata__": {"request": "{}"}}
    end = 0
    for name in rng.sample(["a", "params/b.c", "data/x", "data/y"], rng.randint(0, 4)):
        dtype, size = rng.choice([("F32", 4), ("F64", 8), ("I64", 8)])
        shape = [rng.randint(0, 3) for _ in range(rng.randint(0, 3))]
        bytes_ = int(np.prod(shape)) * size
        header[name] = entry(end, end + bytes_, shape, dtype)
        end += bytes_
    numbers = rng.randbytes(end)
    changes = rng.randint(0, 3)
    for _ in range(changes):
        what, names = (
            rng.randrange(7),
            [name for name in header if name != "__metadata__" and len(header[name]) == 3],
        )
        if what == 0:
            numbers = numbers[: rng.randint(0, len(numbers))] + rng.randbytes(rng.randint(0, 4))
        elif what == 1 and names:
            header[rng.choice(names)]["data_offsets"][rng.randint(0, 1)] += rng.choice([-8, -4, -1, 1, 4, 8])
        elif what == 2 and names:
            header[rng.choice(names)]["shape"] = rng.choice(
                [[0], [1, 1], [2**63], [-1], [1.5], ["1"], None, [True]]
            )
        elif what == 3 and names:
            header[rng.choice(names)]["dtype"] = rng.choice(["F16", "F32", "F64", "I64", "BOOL", "", 4, None])
        elif what == 4 and names:
            header[rng.choice(["../x", "a\r\n", "data/z", "é"])] = header.pop(rng.choice(names))
        elif what == 5 and names:
            header[rng.choice(names)].pop(rng.choice(["dtype", "shape", "data_offsets"]), None)
        elif what == 6:
            header["__metadata__"] = rng.choice(
                [{}, None, {"request": 1}, {"request": "{", "x": ""}, {"request": "{}"}]
            )
        header = {n: e for n, e in header.items() if n == "__metadata__" or rng.random() < 0.99}
    text = json.dumps(header).encode() + b" " * rng.randint(0, 8)
    for _ in range(rng.choice([0, 0, 0, 1, 2])):
        at = rng.randrange(len(text))
        text = text[:at] + rng.choice([b"", b'"', b"-", b"0", b"{", b",", rng.randbytes(1)]) + text[at + 1 :]
    return body_of(text, numbers, len(text) + rng.choice([0] * 20 + [-1, 1, 2**40]))


def test_what_is_accepted_the_library_accepts_with_the_same_bytes() -> None:
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    accepted = 0
    for number in range(MUTANTS):
        body = mutant(rng)
        try:
            document = decoded(body)
        except Refused:
            continue
        accepted += 1
        theirs = {name: tensor for name, tensor in safetensors.deserialize(body)}
        ours = {
            f"{place}/{name}": array
            for place in ("params", "data")
            # Where no tensor lies the request may be any JSON: that is for the schemas to refuse.
            if isinstance(document, dict) and isinstance(document.get(place), dict)
            for name, array in document[place].items()
            if isinstance(array, np.ndarray)
        }
        assert len(ours) == len(theirs), (seed, number)
        for name, tensor in theirs.items():
            array = ours[name if "/" in name else f"params/{name}"]
            assert array.tobytes() == bytes(tensor["data"]) and list(array.shape) == tensor["shape"], (
                seed,
                number,
            )
    assert MUTANTS / 20 < accepted < MUTANTS * 0.9


def test_arrays_are_parts_as_they_are_or_copied_once() -> None:
    array = np.arange(60_000.0).reshape(200, 300)
    for sent, copied in ((array, 0), (array[:, ::2], 1), (array.T, 1)):
        head, numbers = wire.encode_in_parts({"data": {"x": sent}}, wire.SAFETENSORS)
        assert bytes(numbers) == sent.tobytes() and isinstance(head, bytes)
        assert np.shares_memory(np.frombuffer(numbers, np.uint8), array) == (not copied)
        tracemalloc.start()
        wire.encode_in_parts({"data": {"x": sent}}, wire.SAFETENSORS)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert copied * sent.nbytes <= peak <= copied * sent.nbytes + 20_000


ARRAYS = {
    "wide": np.arange(60_000.0).reshape(200, 300),
    "cut": np.arange(60_000.0).reshape(200, 300)[:, ::2],
    "turned": np.arange(6, dtype=np.float32).reshape(2, 3).T,
    "big_endian": np.arange(5.0).astype(">f8"),
    "none": np.ones((0, 3)),
    "one": np.float32(2) * np.ones((), np.float32),
    "integers": np.arange(4),
}


def test_a_streamed_body_is_the_encoded_one() -> None:
    document = {"params": ARRAYS, "version": 7}
    head, length, numbers = wire.stream(document, "response")
    pieces = list(numbers)
    assert sum(map(len, pieces)) == length
    assert head + b"".join(map(bytes, pieces)) == wire.encode(document, wire.SAFETENSORS, part="response")
    read = wire.decode(head + b"".join(map(bytes, pieces)), wire.SAFETENSORS, part="response")["params"]
    assert all(np.array_equal(read[name], array) for name, array in ARRAYS.items())


def test_a_streamed_body_copies_a_piece_at_a_time() -> None:
    arrays = {str(number): np.ones((2000, 2000), np.float32).T for number in range(4)}
    tracemalloc.start()
    _, length, numbers = wire.stream({"params": arrays}, "response")
    assert sum(map(len, numbers)) == length == 64_000_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**22


def test_arrays_that_are_not_aligned_are_copied_unless_that_is_not_wanted() -> None:
    body = body_of(META | {"x": entry(0, 16, [2], "F64")}, np.arange(2.0).tobytes())
    for cut in range(8):
        spaced = body.replace(b"{", b"{" + b" " * cut, 1)
        size = int.from_bytes(spaced[:8], "little") + cut
        spaced = size.to_bytes(8, "little") + spaced[8:]
        for align in (True, False):
            x = wire.decode(spaced, wire.SAFETENSORS, align=align)["params"]["x"]
            assert x.tolist() == [0, 1]
            assert x.flags.aligned or not align
            assert align or np.shares_memory(x, np.frombuffer(spaced, np.uint8))


def test_a_checkpoint_is_read_by_the_names_of_its_tensors() -> None:
    tensors = {"a/b c": np.arange(6.0).reshape(2, 3), "é": np.arange(3), "": np.ones((), np.float32)}
    read = wire.read_checkpoint(save(tensors, metadata={"format": "pt"}))
    assert all(same(read[name], tensors[name]) for name in tensors) and len(read) == 3
    assert wire.read_checkpoint(save({})) == {}


def test_a_checkpoint_is_read_as_strictly() -> None:
    body = save({"a": np.ones(2), "b": np.ones(2)})
    for spoilt, code in (
        (body[:-1], "tensor_body_invalid"),
        (body + b"\0", "tensor_body_invalid"),
        (body_of({"a": entry(0, 4, dtype="F16")}, bytes(4)), "dtype_unsupported"),
        (body_of({"a": entry(0, 4, [2**62, 0])}, bytes(4)), "shape_too_large"),
    ):
        with pytest.raises(Refused) as told:
            wire.read_checkpoint(spoilt)
        assert told.value.code == code
    with pytest.raises(Refused, match="2 tensors"):
        wire.read_checkpoint(body, wire.Limits(tensors=1))
