"""The choice of a BLAS: by the setting, the processor, and what is installed."""

from __future__ import annotations

import importlib.metadata
import platform
from pathlib import Path, PurePosixPath

import pytest

from deltawire_plugins import blas
from deltawire_plugins.blas import BlasUnusable, installed_mkl, mkl_to_load

LIBRARY = Path("/lib/libmkl_rt.so.3")


@pytest.mark.parametrize(
    "choice, vendor, installed, chosen",
    [
        ("auto", "GenuineIntel", LIBRARY, LIBRARY),
        ("auto", "GenuineIntel", None, None),
        ("auto", "AuthenticAMD", LIBRARY, None),
        ("auto", "", LIBRARY, None),
        ("numpy", "GenuineIntel", LIBRARY, None),
        ("mkl", "GenuineIntel", LIBRARY, LIBRARY),
        ("mkl", "AuthenticAMD", LIBRARY, LIBRARY),
    ],
)
def test_mkl_is_taken_on_intel_processors_unless_the_setting_says_otherwise(
    choice: str, vendor: str, installed: Path | None, chosen: Path | None
) -> None:
    assert mkl_to_load(choice, lambda: vendor, lambda: installed) == chosen


def test_what_cannot_be_taken_is_refused_with_the_remedy() -> None:
    with pytest.raises(BlasUnusable, match=r"pip install 'deltawire\[mkl\]'"):
        mkl_to_load("mkl", lambda: "GenuineIntel", lambda: None)
    for choice in ("openblas", "MKL", ""):
        with pytest.raises(BlasUnusable, match=f"expected auto, numpy or mkl, got '{choice}'"):
            mkl_to_load(choice)


def test_other_processors_do_not_look_for_an_installation() -> None:
    def fail() -> None:
        raise AssertionError

    assert mkl_to_load("auto", lambda: "AuthenticAMD", fail) is None


def test_the_vendor_is_the_one_of_this_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    if platform.machine() == "x86_64" and (cpuinfo := Path("/proc/cpuinfo")).exists():
        assert f": {blas.vendor()}\n" in cpuinfo.read_text() and blas.vendor()
    monkeypatch.setattr("builtins.open", missing)
    monkeypatch.setattr(platform, "processor", lambda: "Intel64 Family 6 Model 143 Stepping 8, GenuineIntel")
    assert blas.vendor() == "GenuineIntel"
    monkeypatch.setattr(platform, "processor", lambda: "AMD64 Family 25 Model 1 Stepping 1, AuthenticAMD")
    assert blas.vendor() == ""


def missing(*_: object) -> None:
    raise FileNotFoundError


class File(PurePosixPath):
    """A file that a distribution has written below the working directory."""

    def locate(self) -> str:
        return str(self)


@pytest.mark.parametrize(
    "files, library",
    [
        (["lib/libmkl_core.so.3", "lib/libmkl_rt.so.3"], "lib/libmkl_rt.so.3"),
        (["lib/libmkl_rt.so"], "lib/libmkl_rt.so"),
        (["Library/bin/mkl_core.2.dll", "Library/bin/mkl_rt.2.dll"], "Library/bin/mkl_rt.2.dll"),
        (["lib/libmkl_core.so.3", "mkl-2026.2.0.dist-info/RECORD"], None),
        (["lib/missing/libmkl_rt.so.3"], None),  # `pip install --target` leaves it out
        (None, None),
    ],
)
def test_the_library_is_found_among_the_files_of_the_extra(
    files: list[str] | None, library: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for file in map(Path, files or []):
        if "missing" not in file.parts:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
    monkeypatch.setattr(importlib.metadata, "files", lambda _: files and [File(file) for file in files])
    assert installed_mkl() == (library and tmp_path / library)


def test_without_the_extra_there_is_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def files(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "files", files)
    assert installed_mkl() is None
