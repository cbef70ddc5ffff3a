"""Paths of the service's machine: below a root, whatever links say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deltawire.errors import Refused
from deltawire_service.datasets.allowed_paths import PathNotAllowed, open_allowed


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "inner").mkdir(parents=True)
    (root / "inner" / "table.csv").write_text("a\n1\n")
    (tmp_path / "secret.csv").write_text("a\n2\n")
    (tmp_path / "rooted").mkdir()
    (tmp_path / "rooted" / "table.csv").write_text("a\n3\n")
    (root / "out.csv").symlink_to(tmp_path / "secret.csv")
    (root / "away").symlink_to(tmp_path)
    (root / "here.csv").symlink_to(root / "inner" / "table.csv")
    (root / "loop.csv").symlink_to(root / "loop.csv")
    os.mkfifo(root / "pipe.csv")
    return root


def read(path: Path | str, root: Path) -> str:
    with open_allowed(str(path), [root]) as descriptor:
        return os.read(descriptor, 100).decode()


@pytest.mark.parametrize("path", ["inner/table.csv", "here.csv", "inner/../inner/./table.csv"])
def test_a_file_below_a_root_is_read(root: Path, path: str) -> None:
    assert read(f"{root}/{path}", root) == "a\n1\n"


def test_a_root_may_be_a_link_itself(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    assert read(tmp_path / "link" / "inner" / "table.csv", tmp_path / "link") == "a\n1\n"


@pytest.mark.parametrize(
    "path",
    ["{root}/out.csv", "{root}/away/secret.csv", "{root}/../secret.csv", "{root}ed/table.csv", "/etc/passwd"],
)
def test_a_path_out_of_the_roots_is_not_allowed_whether_it_is_there_or_not(root: Path, path: str) -> None:
    for each in (path.format(root=root), path.format(root=root) + "-not-there"):
        with pytest.raises((PathNotAllowed, Refused)) as caught:
            read(each, root)
        assert isinstance(caught.value, PathNotAllowed) or each.startswith(f"{root}/out.csv-")


@pytest.mark.parametrize(
    "path", ["none.csv", "inner", "pipe.csv", "loop.csv", "inner/table.csv/x", "a\0b", ""]
)
def test_what_is_no_file_is_refused(root: Path, path: str) -> None:
    with pytest.raises(Refused):
        read(f"{root}/{path}", root)


def test_a_path_is_absolute(root: Path) -> None:
    with pytest.raises(Refused, match="expected a path from the root"):
        read("inner/table.csv", root)


def test_without_roots_no_path_is_read() -> None:
    with pytest.raises(PathNotAllowed, match="DELTAWIRE_DATASET_ROOTS"), open_allowed("/etc/passwd", []):
        pass
