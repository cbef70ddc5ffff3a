"""Bodies of models: from any server, in files, with bounds of their own."""

from __future__ import annotations

import hashlib
import mmap
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from deltawire import wire
from deltawire.errors import Refused
from deltawire_service.http import uploads
from deltawire_service.http.request_context import RequestContext
from deltawire_service.server.bodies.body_reader import BodyTruncated
from deltawire_service.settings import Settings

MIB = 2**20


class Trickle(BytesIO):
    """A stream that gives less than it is asked for."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size or 0, 100_000))


def context(body: bytes, media_type: str = wire.SAFETENSORS, length: int | None = None, **more: Any) -> Any:
    environ = {"CONTENT_TYPE": media_type, "CONTENT_LENGTH": str(len(body) if length is None else length)}
    return RequestContext({"REQUEST_METHOD": "POST", "wsgi.input": Trickle(body), **environ, **more})


def body(numbers: int) -> bytes:
    return wire.encode({"params": {"p": np.arange(numbers, dtype=np.float32)}}, wire.SAFETENSORS)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=str(tmp_path), binary_body_bytes=MIB, model_body_bytes=4 * MIB)


def test_a_large_body_of_any_server_lies_in_a_file(settings: Settings) -> None:
    whole = body(MIB // 2)
    request = context(whole)
    received = uploads.receive(request, settings)
    assert isinstance(received, memoryview) and isinstance(received.obj, mmap.mmap) and received == whole
    document = uploads.decode(request, settings, received)
    assert (document["params"]["p"] == np.arange(MIB // 2)).all()
    assert np.shares_memory(document["params"]["p"], np.frombuffer(received, np.uint8))


def test_small_ones_and_json_lie_in_memory(settings: Settings) -> None:
    for sent, media_type in ((body(9), wire.SAFETENSORS), (b'{"a": "%s"}' % (b"x" * 2 * MIB), wire.JSON)):
        request = context(sent, media_type)
        received = uploads.receive(request, settings)
        assert received == sent and isinstance(received, bytes)
        assert uploads.decode(request, settings, received)


def test_bounds(settings: Settings, tmp_path: Path) -> None:
    without = Settings(binary_body_bytes=MIB)
    for length, its, code in (
        (4 * MIB + 1, settings, "body_too_large"),
        (MIB + 1, without, "body_too_large"),
        (9, settings, "media_type_unsupported"),
    ):
        media_type = "text/plain" if code == "media_type_unsupported" else wire.SAFETENSORS
        with pytest.raises(Refused) as refused:
            uploads.receive(context(b"", media_type, length), its)
        assert refused.value.faults[0].code == code
    with pytest.raises(BodyTruncated):
        uploads.receive(context(b"abc", length=2 * MIB), settings)
    assert list((tmp_path / "uploads").iterdir()) == []


def test_many_tensors_need_a_long_header(settings: Settings) -> None:
    params = {f"layers.{number}.weight": np.ones(1) for number in range(3000)}
    whole = wire.encode({"params": params}, wire.SAFETENSORS)
    assert orjson.loads(whole[8 : 8 + int.from_bytes(whole[:8], "little")]) and len(whole) > 2**17
    assert len(uploads.decode(context(whole), settings, whole)["params"]) == 3000
    with pytest.raises(Refused):
        uploads.decode(context(whole), Settings(), whole)


def test_numbers_that_are_not_aligned_are_not_copied(settings: Settings) -> None:
    whole = body(9)
    size = int.from_bytes(whole[:8], "little")
    shifted = (size + 1).to_bytes(8, "little") + whole[8 : 8 + size] + b" " + whole[8 + size :]
    array = uploads.decode(context(shifted), settings, shifted)["params"]["p"]
    assert np.shares_memory(array, np.frombuffer(shifted, np.uint8))
    assert array.tolist() == list(range(9)) and array.sum() == 36


def test_the_digest_is_that_of_the_whole_request() -> None:
    whole = body(MIB)
    request = context(whole, PATH_INFO="/v1/models")
    fields = (b"POST", b"/v1/models", b"", wire.SAFETENSORS.encode())
    lengths = b"".join(len(each).to_bytes(8, "little") + each for each in fields)
    expected = hashlib.sha256(lengths + whole).digest()
    assert uploads.request_digest(request, whole) == expected
    assert uploads.request_digest(request, memoryview(whole)) == expected
    others = [
        context(whole, PATH_INFO="/v1/models2"),
        context(whole, PATH_INFO="/v1/models", QUERY_STRING="a"),
        context(whole, PATH_INFO="/v1/models", CONTENT_TYPE=wire.JSON),
        context(whole, PATH_INFO="/v1/models", REQUEST_METHOD="PUT"),
    ]
    assert expected not in {uploads.request_digest(other, whole) for other in others}
    assert uploads.request_digest(request, b"") != expected
