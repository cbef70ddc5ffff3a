"""Links to numbers: valid as they were made, for their time, and in no other form."""

from __future__ import annotations

import os
from pathlib import Path
from time import time
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from deltawire_service.cluster.links import ROUTE, Links, Stretch
from deltawire_service.store.errors import StoreUnavailable

STRETCH = Stretch("blobs/a b/1", 5, 10)


def parts_of(link: str) -> tuple[str, dict[str, str]]:
    parts = urlsplit(link)
    return unquote(parts.path).removeprefix(ROUTE), dict(parse_qsl(parts.query))


def test_a_link_leads_to_its_stretch() -> None:
    links = Links(b"secret")
    link = links.make(STRETCH, time() + 60)
    assert link.startswith(ROUTE) and " " not in link
    assert links.read(*parts_of(link)) == STRETCH


@pytest.mark.parametrize("change", ["path", "begin", "size", "expires", "signature", "missing", "text"])
def test_a_link_that_was_changed_leads_nowhere(change: str) -> None:
    links = Links(b"secret")
    path, query = parts_of(links.make(STRETCH, time() + 60))
    if change == "path":
        path = "database.sqlite3"
    elif change == "missing":
        del query["size"]
    elif change == "text":
        query["size"] = "ten"
    elif change == "signature":
        query["signature"] = "é" + query["signature"][1:]
    else:
        query[change] = str(int(query[change]) + 1)
    assert links.read(path, query) is None


def test_a_link_ends_in_time_and_with_its_secret() -> None:
    links = Links(b"secret")
    assert links.read(*parts_of(links.make(STRETCH, time() - 2))) is None
    assert Links(b"other").read(*parts_of(links.make(STRETCH, time() + 60))) is None


def test_the_processes_of_a_service_share_a_secret_that_others_cannot_read(tmp_path: Path) -> None:
    first, second = Links.of_folder(tmp_path), Links.of_folder(tmp_path)
    assert second.read(*parts_of(first.make(STRETCH, time() + 60))) == STRETCH
    (secret,) = tmp_path.iterdir()
    assert os.stat(secret).st_mode & 0o077 == 0 and len(secret.read_bytes()) == 32


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_damaged_secret_signs_nothing(tmp_path: Path, size: int) -> None:
    (tmp_path / "secret").write_bytes(bytes(size))
    with pytest.raises(StoreUnavailable, match="damaged"):
        Links.of_folder(tmp_path)
