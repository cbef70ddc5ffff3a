"""The demo of digits: its rows, its network, and its report."""

from __future__ import annotations

import io
import sys
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from deltawire import Client, NotInstalled
from deltawire_service.cli.demos.digits import GOAL, Digits, draw_image

sklearn_datasets = pytest.importorskip("sklearn.datasets")


class Reader:
    """A model that reads the digits of a demo, and so many of them wrong."""

    def __init__(self, digits: Digits, wrong: int):
        read = digits.digits.copy()
        read[:wrong] = (read[:wrong] + 1) % 10
        self.scores, self.client = np.eye(10)[read], Client()

    def forward(self, data: Any, values: Any) -> dict[str, Any]:
        return {"scores": self.scores}


def report(wrong: int) -> tuple[bool, str]:
    output, digits = io.StringIO(), Digits()
    model: Any = Reader(digits, wrong)
    good = digits.show_after(model, Console(file=output, width=80, markup=False, highlight=False))
    return good, output.getvalue()


def test_no_digit_is_both_learned_and_tested() -> None:
    digits, (images, _) = Digits(), sklearn_datasets.load_digits(return_X_y=True)
    parts = (digits.training["image"], digits.validation["image"], digits.images)
    assert [len(part) for part in parts] == [1197, 240, 360]
    together = np.concatenate(parts).reshape(-1, 64) * 16
    np.testing.assert_array_equal(np.sort(together, axis=0), np.sort(images, axis=0).astype(np.float32))


def test_the_network_takes_the_rows() -> None:
    digits, client = Digits(), Client()
    net = digits.network()
    first = {name: column[:3] for name, column in digits.training.items()}
    loss, gradients = client.value_and_grad(net, client.init(net, seed=0, dtype="float32"), first)
    assert 1 < loss < 4 and all(gradient.any() for gradient in gradients.values())


def test_the_report_has_the_accuracy_the_digits_and_the_circuits() -> None:
    good, text = report(wrong=2)
    assert good and "✓ 99.4% of the 360 test digits are read right" in text
    digits = Digits().digits
    assert f"{(digits[0] + 1) % 10}, is {digits[0]}" in text and "read right:" in text
    assert "f = (x + y)·z = -12.00" in text and "∂f/∂z 3.00" in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(("wrong", "good"), [(0, True), (14, True), (15, False)])
def test_the_goal_decides(wrong: int, good: bool) -> None:
    assert (1 - wrong / 360 >= GOAL) is good
    verdict, text = report(wrong)
    assert verdict is good and ("read wrong:" in text) is bool(wrong)


def test_an_image_is_two_rows_a_line() -> None:
    image = np.array([[0, 0, 1, 1], [0, 1, 0, 1], [0.39, 0.4, 0, 0], [0, 0, 0, 1]])
    assert draw_image(image) == [" ▄▀█", " ▀ ▄"]


def test_without_scikit_learn_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(NotInstalled, match=r"deltawire\[demo\]"):
        Digits()
