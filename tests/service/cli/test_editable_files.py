"""The files that `deltawire serve --reload` looks at."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from support.distributions import install

from deltawire_service.cli.serving.editable_files import changed_path, editable_folders, stamps


@pytest.mark.parametrize(
    ("origin", "found"),
    [
        ({"dir_info": {"editable": True}}, True),
        ({"dir_info": {"editable": False}}, False),
        ({"dir_info": {}}, False),
        ({"url": "https://example.org/acme.whl", "archive_info": {}}, False),
        (None, False),
        ("[", False),
    ],
)
def test_editable_distributions_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, origin: Any, found: bool
) -> None:
    source = tmp_path / "the source"
    site = tmp_path / "site"
    for folder in (source, site):
        folder.mkdir()
    install(site, "acme 2.0", acme="acme:Layer")
    if isinstance(origin, dict):
        origin = json.dumps({"url": source.as_uri(), **origin})
    if origin is not None:
        (site / "acme-2.0.dist-info" / "direct_url.json").write_text(origin)
    monkeypatch.syspath_prepend(site)
    assert (source.resolve() in editable_folders()) is found


def test_changes_are_seen(tmp_path: Path) -> None:
    for name in ("layer.py", "notes.md", "inner/part.py", ".hidden/x.py", "env/x.py", "env/pyvenv.cfg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    before = stamps([tmp_path])
    mine = {path.removeprefix(f"{tmp_path}/") for path in before if path.startswith(str(tmp_path))}
    assert mine == {"layer.py", "inner/part.py"}
    assert changed_path(before, stamps([tmp_path])) is None
    os.utime(tmp_path / "inner" / "part.py", ns=(1, 1))
    touched = stamps([tmp_path])
    assert changed_path(before, touched) == str(tmp_path / "inner" / "part.py")
    (tmp_path / "added.py").touch()
    assert changed_path(touched, stamps([tmp_path])) == str(tmp_path / "added.py")
    (tmp_path / "added.py").unlink()
    (tmp_path / "layer.py").unlink()
    assert changed_path(touched, stamps([tmp_path])) == str(tmp_path / "layer.py")


def test_an_installation_is_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site-packages"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    before = stamps([])
    install(site, "acme 2.0", acme="acme:Layer")
    assert changed_path(before, stamps([])) == str(site)
