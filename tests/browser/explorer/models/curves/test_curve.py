"""A curve of any length has a bounded number of points, evenly spaced, with the newest one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

ADD = """async steps => {
  const { RunCurve } = await import('/explorer/models/curves/curve.js');
  const curve = new RunCurve({ id: 'a', model: 'm', number: 1, first_version: 7, version: 7 });
  for (let step = 1; step <= steps; step += 1) {
    curve.add({ version: 7 + step, loss: step, gradient_norm: -step });
  }
  return { x: curve.x, loss: curve.loss, norm: curve.norm };
}"""


@pytest.mark.parametrize(("steps", "stride"), [(59_999, 1), (60_000, 2), (1_000_001, 32)])
def test_a_long_run_keeps_every_few_steps(training_page: Page, steps: int, stride: int) -> None:
    training_page.goto("/models")
    curve = training_page.evaluate(ADD, steps)
    places = [*range(stride, steps + 1, stride)]
    expected = places if places[-1] == steps else [*places, steps]
    assert curve["x"] == curve["loss"] == expected
    assert curve["norm"] == [-place for place in expected]
