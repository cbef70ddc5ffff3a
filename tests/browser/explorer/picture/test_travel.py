"""What a backward step sends is seen on its way, or stands out where nothing may move."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer, script

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

AT = """(part) => {
  const svg = document.querySelector('.drawing');
  svg.pauseAnimations();
  return Object.fromEntries([...document.querySelectorAll('[data-travel]')].map((mark) => {
    const motion = mark.querySelector('animateMotion');
    motion.beginElement(); // anew: on a busy machine it may have ended
    mark.style.animationName = 'none';
    mark.getBoundingClientRect();
    mark.style.animationName = '';
    svg.setCurrentTime(svg.getCurrentTime() + part * motion.getSimpleDuration());
    mark.getAnimations().forEach((fading) => {
      fading.pause();
      fading.currentTime = 1000 * part * motion.getSimpleDuration();
    });
    const box = mark.getBoundingClientRect();
    return [mark.dataset.travel, [box.x + box.width / 2, Number(getComputedStyle(mark).opacity)]];
  }));
}"""


def test_each_delta_moves_from_its_node_to_where_it_arrives(page: Page) -> None:
    explorer = Explorer(page, "example=circuit&step=2")
    explorer.press("ArrowRight")
    page.locator("[data-travel]").first.wait_for(state="attached")
    marks = page.locator("[data-travel]")
    assert marks.evaluate_all("all => all.map(one => one.textContent)") == ["−4", "3"]
    first, half, last = (page.evaluate(AT, part) for part in (0.01, 0.5, 0.999))
    boxes = {name: page.locator(f'[data-node="{name}"] .body').bounding_box() for name in "qzf"}
    for edge, name in (("q→f/0", "q"), ("z→f/1", "z")):
        sender, target = boxes["f"], boxes[name]
        assert sender and target
        assert first[edge][0] == pytest.approx(sender["x"], abs=8)
        assert first[edge][0] > half[edge][0] > last[edge][0]
        assert last[edge][0] == pytest.approx(target["x"] + target["width"], abs=12)
        assert first[edge][1] == half[edge][1] == 1 and last[edge][1] < 0.1  # it is gone where it arrives


def test_only_a_step_on_moves_something(page: Page) -> None:
    explorer = Explorer(page, "example=circuit&step=1")
    for key, step in (("ArrowRight", 2), ("End", 4), ("ArrowLeft", 3)):
        explorer.press(key)
        page.locator(f'[data-step="{step}"]').wait_for()
        assert page.locator("[data-travel]").count() == 0, key


def test_a_played_pass_sends_every_delta_once(page: Page) -> None:
    explorer = Explorer(page, "example=fan_out&step=3")
    page.evaluate(
        """() => {
          window.seen = [];
          new MutationObserver((all) => all.forEach((one) => one.addedNodes.forEach((node) =>
            node.querySelectorAll?.('[data-travel]').forEach((mark) => seen.push(mark.dataset.travel)))))
            .observe(document.querySelector('.drawing'), { subtree: true, childList: true });
        }"""
    )
    explorer.press(" ")
    page.locator('[data-step="6"]').wait_for()
    page.wait_for_function("() => seen.length >= 6")
    assert page.evaluate("seen.sort()") == sorted(["m→f/0", "x→f/1", "s→m/0", "y→m/1", "x→s/0", "y→s/1"])


def test_nothing_moves_where_the_reader_wants_no_motion(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    explorer = Explorer(page, "example=circuit&step=2")
    explorer.press("ArrowRight")
    page.locator('[data-step="3"]').wait_for()
    assert page.locator("[data-travel]").count() == 0
    now = page.locator(".edge-label.now")
    assert now.evaluate_all("all => all.map(one => one.dataset.edgeGradient)") == ["f→q", "f→z"]
    widths = "all => all.map(one => parseFloat(getComputedStyle(one.querySelector('rect')).strokeWidth))"
    assert now.evaluate_all(widths) == [2.5, 2.5]
    explorer.press("ArrowRight")
    page.locator('[data-step="4"]').wait_for()
    assert page.locator(".edge-label:not(.now) rect").count() == 2


def test_what_is_hidden_travels_without_its_number(page: Page) -> None:
    explorer = Explorer(page, "example=circuit&step=2")
    page.locator("[data-predict-toggle]").click()
    explorer.press("ArrowRight")
    page.locator("[data-travel]").first.wait_for(state="attached")
    assert page.locator("[data-travel]").evaluate_all("all => all.map(one => one.textContent)") == ["?", "?"]


def test_a_step_takes_at_most_50_ms_of_the_processor(page: Page) -> None:
    """All work of the page in a step of a network of 60 nodes; other programs do not count."""
    explorer = Explorer(page, "example=residual&step=65")
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})

    def script_seconds() -> float:
        metrics = devtools.send("Performance.getMetrics")["metrics"]
        return next(float(one["value"]) for one in metrics if one["name"] == "ScriptDuration")

    steps = 20
    before = script_seconds()
    page.evaluate(script(__file__, "forth"), steps)
    took = (script_seconds() - before) / steps
    assert explorer.step() == 65 + steps and page.locator("[data-travel]").count() > 0
    assert 0 < took <= 0.05, took
