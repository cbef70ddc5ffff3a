"""The choice of a variant of the kernels."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.kernels

PRINT = "from deltawire_layers import kernels; print(kernels.instructions())"


def best() -> str:
    import deltawire_kernels

    return str(deltawire_kernels.instructions)


def run(wanted: str) -> subprocess.CompletedProcess[str]:
    variables = os.environ | {"DELTAWIRE_KERNELS_INSTRUCTIONS": wanted}
    return subprocess.run([sys.executable, "-c", PRINT], env=variables, capture_output=True, text=True)


def test_a_variable_names_the_instructions() -> None:
    fastest = run("").stdout.split()
    assert fastest and run(fastest[0]).stdout.split() == fastest
    if fastest == ["avx512"]:
        assert run("avx2").stdout.split() == ["avx2"]


def test_instructions_that_the_processor_lacks_are_refused_with_those_it_has() -> None:
    refused = run("sse2")
    assert refused.returncode == 1
    assert "DELTAWIRE_KERNELS_INSTRUCTIONS is sse2" in refused.stderr
    assert best() in refused.stderr.splitlines()[-1]


def test_kernels_of_another_version_are_refused_at_the_start() -> None:
    code = "import deltawire_kernels; deltawire_kernels.INTERFACE -= 1; import deltawire_layers"
    refused = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert refused.returncode == 1
    assert "deltawire-kernels is not of this version: install it again" in refused.stderr
