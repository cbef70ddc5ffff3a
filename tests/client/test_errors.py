"""Errors say what, where and whose fault, and survive pickling."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

import deltawire
from deltawire import DeltawireError, Fault, Refused
from deltawire.errors import MOST_FAULTS

FAULTS = (Fault("/data/x", "shape_mismatch", "expected [2]"), Fault("", "loss_missing", "no loss"))
PUBLIC = [vars(deltawire)[name] for name in deltawire.__all__]
TREE = [error for error in PUBLIC if isinstance(error, type) and issubclass(error, DeltawireError)]


@pytest.mark.parametrize("error", TREE)
def test_every_error_has_the_same_attributes_and_can_be_pickled(error: type[DeltawireError]) -> None:
    made = error(FAULTS, 422, "ab-12", "key")
    for raised in (made, pickle.loads(pickle.dumps(made)), made.with_mends({}), made.with_faults(FAULTS)):
        assert type(raised) is error and raised.key == "key"
        assert (raised.status, raised.request_id) == (422, "ab-12")
        assert (raised.code, raised.pointer) == ("shape_mismatch", "/data/x")
        assert raised.errors == raised.faults == FAULTS
        assert str(raised) == "/data/x: expected [2]; no loss"


def test_the_tree_is_drawn_in_the_docstring() -> None:
    drawing = deltawire.errors.__doc__ or ""
    assert len(TREE) == 8
    for error in TREE:
        assert f" {error.__name__} " in drawing


def test_a_refusal_moved_below_a_prefix_stays_what_it_is() -> None:
    moved = Refused(FAULTS, 422, "ab").under("/network")
    assert [fault.pointer for fault in moved.faults] == ["/network/data/x", "/network"]
    assert (moved.status, moved.request_id) == (422, "ab")


def test_no_more_faults_are_computed_than_are_kept() -> None:
    def faults():
        for place in range(MOST_FAULTS):
            yield Fault(f"/{place}", "field_unknown", "unknown")
        raise AssertionError("nobody reads this one")

    assert len(Refused(faults()).faults) == MOST_FAULTS


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
