"""Pendulum keeps every rule of the contract, and computes what a physicist expects."""

import time
from pathlib import Path

import deltawire_pendulum
import numpy as np
import pytest
from deltawire_pendulum import Pendulum

from deltawire_layers import DeadlineExceeded, LayerError, call_until, check_layer


@pytest.mark.parametrize("shape", [(2,), (2, 2)])
def test_the_contract(shape: tuple[int, ...]) -> None:
    check_layer(Pendulum(seconds=0.2), shape)


def test_energy_is_kept() -> None:
    starts = np.array([[0.3, 0.0], [2.0, 1.0], [-1.0, 2.5]])
    ends = Pendulum(seconds=5).forward({}, starts).value

    def energy(states: np.ndarray) -> np.ndarray:
        return states[:, 1] ** 2 / 2 - np.cos(states[:, 0])

    np.testing.assert_allclose(energy(ends), energy(starts), atol=1e-8)


def test_other_shapes_are_refused() -> None:
    with pytest.raises(LayerError, match="2 numbers, not 3"):
        Pendulum().output_shape((3,))


def test_the_program_ends_at_the_deadline() -> None:
    begun = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        call_until(begun + 0.3, lambda: Pendulum(seconds=60).forward({}, np.ones((1000, 2))))
    assert time.monotonic() - begun < 5


def test_a_program_that_fails_is_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "broken.py"
    program.write_text("raise SystemExit('no licence')")
    monkeypatch.setattr(deltawire_pendulum, "PROGRAM", [*deltawire_pendulum.PROGRAM[:-1], str(program)])
    with pytest.raises(RuntimeError, match="ended with code 1: no licence"):
        Pendulum().forward({}, np.ones((1, 2)))
