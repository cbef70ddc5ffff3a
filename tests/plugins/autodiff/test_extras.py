"""Frameworks are imported when they are used, and their absence is explained."""

from __future__ import annotations

import subprocess
import sys

import pytest

from deltawire_layers import autodiff

BLOCKED = """
import sys
sys.modules[{package!r}] = None
from deltawire_layers import autodiff
try:
    autodiff.{name}
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("package", "name", "extra"),
    [("torch", "from_torch", "torch"), ("jax", "JaxLayer", "jax"), ("autograd", "from_numpy", "autograd")],
)
def test_a_missing_framework_is_named_with_its_extra(package: str, name: str, extra: str) -> None:
    code = BLOCKED.format(package=package, name=name)
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed == f"deltawire_layers.autodiff needs {package}: pip install 'deltawire[{extra}]'\n"


def test_the_package_imports_no_framework() -> None:
    code = "import sys, deltawire_layers.autodiff; print({'torch', 'jax', 'autograd'} & {*sys.modules})"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed == "set()\n"


def test_an_unknown_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="from_tensorflow"):
        autodiff.from_tensorflow  # noqa: B018
