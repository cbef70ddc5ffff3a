"""The page as a whole: every example, themes, contrast, languages of layers, no other host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import EXAMPLES, Explorer, script

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_example_is_drawn_on_every_screen(page: Page, width: int, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 844})
    for name in EXAMPLES:
        page.goto("about:blank")
        Explorer(page, f"example={name}")
        assert page.locator("html").get_attribute("data-theme") == scheme
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert page.locator(".refused").count() == 0
        assert page.locator(".katex-error").count() == 0


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_header_takes_one_line_of_a_projector(page: Page, lang: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    Explorer(page, f"example=circuit&lang={lang}")
    header = page.locator(".top").bounding_box()
    assert header is not None and header["height"] < 60


COVERED = """() => [...document.querySelectorAll('.zoom button, .find button, [data-turn]')]
  .filter((button) => {
  const { left, right, top, bottom } = button.getBoundingClientRect();
  return document.elementFromPoint((left + right) / 2, (top + bottom) / 2) !== button;
}).map((button) => button.textContent)"""


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("width", [1280, 1024, 390])
def test_no_button_of_the_picture_covers_another(page: Page, width: int, lang: str) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    Explorer(page, f"example=circuit&lang={lang}")
    assert page.evaluate(COVERED) == []


def test_a_layer_that_only_the_catalogue_knows(page: Page) -> None:
    """The catalogue brings kind, formula and form; numbers come with the trace."""
    layer = {
        "kind": "thirds", "summary": "y = x / 3, for each number of x (...).", "elementwise": True,
        "inputs": {"names": ["x"], "optional": [], "variadic": False}, "distribution": "acme-layers 2.1",
        "config": {"type": "object", "properties": {"deep": {"type": "integer", "description": "how deep"}}},
        "formula": {
            "value": "\\frac{{x0}}{3}", "deltas": ["\\tfrac{1}{3} \\circ {delta}"], "grads": {},
        },
    }  # fmt: skip

    def with_a_stranger(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        body["layers"] = [
            {**layer, "kind": "negate"} if one["kind"] == "negate" else one for one in body["layers"]
        ]
        route.fulfill(response=answer, json=body)

    page.route("**/v1/layers", with_a_stranger)
    Explorer(page, "example=sigmoid_neuron_gates&at=minus_s")
    text = page.locator(".panel").inner_text()
    assert "y = x / 3" in text and "from the plugin acme-layers 2.1" in text
    formulas = page.locator(".panel .formula").evaluate_all("all => all.map(one => one.dataset.tex)")
    assert any("\\frac{{s}}{3}" in formula for formula in formulas)
    page.get_by_text("Config and parameters").click()
    assert "how deep" in page.locator(".fields").inner_text()


def test_an_edge_tells_which_input_it_feeds(page: Page) -> None:
    """By the name that the layer has for it, where it takes several."""
    Explorer(page, "example=window_classifier")
    titles = page.locator(".touch title").evaluate_all("all => all.map(one => one.textContent)")
    assert any(title.endswith(" (corrupt_score)") for title in titles), titles
    assert "z1 → a1" in titles


def test_it_asks_no_other_host(page: Page) -> None:
    """No request but to the service: the browser of the tests cannot resolve any other name."""
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    explorer = Explorer(page, "example=circuit")
    for tab in ("Findings", "Plots", "Train", "Edit", "Inputs"):
        explorer.tab(tab)
    origin = page.evaluate("location.origin")
    assert requests and all(url.startswith((f"{origin}/", "data:", "blob:")) for url in requests)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_have_enough_contrast(page: Page, scheme: str) -> None:
    """Contrast of at least 4.5 with the page, by the formula of WCAG 2."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    Explorer(page, "example=circuit")
    worst = page.evaluate(script(__file__, "contrast"))
    assert worst >= 4.5, worst


def test_the_theme_survives_a_reload(page: Page) -> None:
    Explorer(page, "example=circuit")
    before = page.locator("html").get_attribute("data-theme")
    page.locator("[data-theme-switch]").click()
    page.reload()
    page.locator(".card").first.wait_for()
    assert page.locator("html").get_attribute("data-theme") not in (before, None)


@pytest.mark.parametrize(
    "state",
    ["example=constructor", "example=__proto__", "lang=constructor", "tab=constructor", "at=constructor"]
    + ["tour=9.9", "tour=1.9", "tour=0.99", "row=99999", "step=99999"],
)
def test_an_address_that_names_what_is_not_there_opens_the_first_network(page: Page, state: str) -> None:
    explorer = Explorer(page, state)
    assert explorer.values().keys() == {"x", "y", "z", "q", "f"}
    assert page.locator("select.network").input_value() == "circuit"
