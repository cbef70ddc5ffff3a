"""Heads are the same however they are cut, and wrong ones are refused before they end."""

from __future__ import annotations

import pytest
from gunicorn.config import Config
from gunicorn.http import errors

from deltawire_service.server.connections.request_head import (
    LengthRequired,
    RequestHead,
    TlsHandshake,
    body_length,
)

HEAD = b"POST /v1/plan?a=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"


def new_head() -> RequestHead:
    cfg = Config()
    cfg.set("limit_request_fields", 10)
    return RequestHead(cfg, ("127.0.0.1", 9))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("before", [b"", b"\r\n"])
def test_a_head_in_pieces(size: int, before: bytes) -> None:
    head, sent = new_head(), before + HEAD + b"12345GET"
    for start in range(0, len(sent), size):
        if request := head.next(sent[start : start + size]):
            break
    assert request is not None
    assert (request.method, request.path, request.query, body_length(request)) == (
        "POST",
        "/v1/plan",
        "a=1",
        5,
    )
    assert sent[: start + size].endswith(bytes(head.bytes))
    assert len(head.bytes) == start + min(size, len(sent) - start) - len(before + HEAD)


def test_requests_behind_each_other() -> None:
    head = new_head()
    sent = HEAD + b"12345" + HEAD.replace(b"plan", b"init")
    first = head.next(sent)
    assert first is not None and first.path == "/v1/plan"
    del head.bytes[:5]
    second = head.next()
    assert second is not None and second.path == "/v1/init"
    assert head.next() is None and head.bytes == b""


@pytest.mark.parametrize(
    "sent, error",
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", TlsHandshake),
        (b"GET  / HTTP/1.1\r\n", errors.InvalidRequestLine),
        (b"get / HTTP/1.1\r\nHost: x\r\n", errors.InvalidRequestMethod),
        (b"GET / HTTP/1.1\n", errors.InvalidRequestLine),
        (b"GET / HTTP/1.1\r\nHost: x\nA: b\r\n", errors.InvalidHeader),
        (b"GET /" + b"a" * 4100, errors.LimitRequestLine),
        (b"GET / HTTP/1.1\r\n" + b"A: " + b"a" * 100_000, errors.LimitRequestHeaders),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 11 + b"\r\n", errors.LimitRequestHeaders),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", LengthRequired),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", errors.UnsupportedTransferCoding),
        (b"\r\n\r\n", errors.InvalidRequestLine),
    ],
)
@pytest.mark.parametrize("size", [1, 2**20])
def test_wrong_heads_are_refused_as_soon_as_they_are_wrong(
    sent: bytes, error: type[Exception], size: int
) -> None:
    head = new_head()
    with pytest.raises(error):
        for start in range(0, len(sent), size):
            assert head.next(sent[start : start + size]) is None


def test_gunicorn_parses_a_trickled_head_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = []
    original = RequestHead.next.__globals__["Request"]
    monkeypatch.setitem(
        RequestHead.next.__globals__, "Request", lambda *given: parsed.append(1) or original(*given)
    )
    head, sent = new_head(), b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 8 + b"\r\n"
    assert [head.next(sent[place : place + 1]) for place in range(len(sent))][-1]
    assert len(parsed) == 2  # its first line, and the whole
