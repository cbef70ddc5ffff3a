"""API keys: read from settings and a file, each line checked."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from environs import EnvError

from deltawire_service.admission.api_keys import Key, read_keys
from deltawire_service.app import create_app
from deltawire_service.settings import Settings

SECRET = "correct-horse"
DIGEST = sha256(SECRET.encode()).hexdigest()
EMPTY, NEWLINE = sha256(b"").hexdigest(), sha256(b"\n").hexdigest()


def test_keys_are_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(
        f"# who may ask\n\n{DIGEST} laptop requests_per_second=2.5 planned_bytes=1000 # a limit\n"
    )
    (key,) = read_keys(Settings(api_keys_file=str(file))).values()
    assert key == Key("laptop", 0, 2.5, 1000.0)


@pytest.mark.parametrize(
    "line, told",
    [
        (SECRET, "line 1: expected the SHA-256"),
        (f"{SECRET} laptop", "line 1: expected the SHA-256"),
        (DIGEST.upper() + " laptop", "line 1: expected the SHA-256"),
        (DIGEST, "no name"),
        (f"{DIGEST} a\n{DIGEST} b", "line 2: the key is there twice"),
        (f"{DIGEST} a requests=1", "expected a limit, requests_per_second or planned_bytes, got 'requests'"),
        (f"{DIGEST} a planned_bytes=0", "planned_bytes is a number above 0"),
        (f"{DIGEST} a planned_bytes=nan", "planned_bytes is a number above 0"),
        (f"{DIGEST} a planned_bytes=1 planned_bytes=2", "planned_bytes is there twice"),
        (f"{DIGEST} a requests_per_second=1 planned_bytes=1 requests_per_second=1", "is there twice"),
        (f"{EMPTY} a", "the digest of an empty key"),
        (f"{DIGEST} a\n{EMPTY} -", "line 2: this is the digest of an empty key"),
        (f"{NEWLINE} a", "the digest of an empty key"),
        (f"{DIGEST} a\x85b", "line 1: there is a control character"),
        (f"{DIGEST}\x0ba", "line 1: there is a control character"),
        (f"{DIGEST} a\u2028b", "line 1: there is a control character"),
        ("# none", "there is no key in them"),
    ],
)
def test_a_line_that_does_not_fit_stops_the_start(line: str, told: str) -> None:
    with pytest.raises(EnvError) as refused:
        create_app(Settings(api_keys=line))
    assert told in str(refused.value) and "DELTAWIRE_API_KEYS" in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("end", ["\x85", "\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e"])
def test_no_key_hides_in_a_comment(end: str, tmp_path: Path) -> None:
    """What Python calls the end of a line, and an editor does not."""
    hidden = sha256(b"hidden").hexdigest()
    text = f"{DIGEST} laptop # since May{end}{hidden} hidden\n"
    file = tmp_path / "keys"
    file.write_text(text, "utf-8")
    for settings in (Settings(api_keys=text), Settings(api_keys_file=str(file))):
        assert [key.name for key in read_keys(settings).values()] == ["laptop"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_editors_end_them(end: str, tmp_path: Path) -> None:
    lines = [f"{DIGEST} laptop", "", f"{sha256(b'lab').hexdigest()}\tlab\tplanned_bytes=10"]
    file = tmp_path / "keys"
    file.write_bytes(
        b"\xef\xbb\xbf" + end.join(lines).encode()
    )  # with the mark that some editors write first
    assert [key.name for key in read_keys(Settings(api_keys_file=str(file))).values()] == ["laptop", "lab"]
