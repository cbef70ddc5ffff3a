"""What needs a library that is not installed names the extra that brings it."""

from __future__ import annotations

import subprocess
import sys

import pytest

WITHOUT = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == LIBRARY:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
import deltawire
import deltawire.importers

try:
    __import__(MODULE)
except deltawire.NotInstalled as error:
    assert error.code == "not_installed", error
    print(error)
"""


@pytest.mark.parametrize(
    "module, library, extra",
    [
        ("deltawire.integrations.torch", "torch", "torch"),
        ("deltawire.importers.torch_fx", "torch", "torch"),
        ("deltawire.exporters.torch", "torch", "torch"),
        ("deltawire.integrations.jax", "jax", "jax"),
        ("deltawire.importers.onnx", "onnx", "onnx"),
        ("deltawire.exporters.onnx", "onnx", "onnx"),
        ("deltawire.integrations.sklearn", "sklearn", "sklearn"),
        ("deltawire.importers.sklearn", "sklearn", "sklearn"),
    ],
)
def test_the_extra_is_named(module: str, library: str, extra: str) -> None:
    code = f"LIBRARY, MODULE = {library!r}, {module!r}\n{WITHOUT}"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert run.stdout == f"{library} is not installed: pip install 'deltawire[{extra}]'\n", run.stderr
