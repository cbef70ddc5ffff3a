"""The page in Korean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer, open_editor

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser


def test_korean(page: Page) -> None:
    explorer = Explorer(page, "example=circuit")
    page.get_by_role("button", name="한국어").click()
    assert page.locator("html").get_attribute("lang") == "ko"
    assert "역전파" in page.locator(".stepper").inner_text()
    page.locator(".tours button").nth(1).click()
    page.locator('[data-tour="1.0"]').wait_for()
    assert "순전파가 초록색 숫자를 채웁니다" in page.locator(".tour").inner_text()
    assert explorer.page.locator("text=Forward").count() == 0


def test_texts_of_layers_are_in_the_language_of_the_page(page: Page) -> None:
    """What a layer computes and the fields of its config, also after the language was changed."""
    Explorer(page, "example=window_classifier&at=z1&lang=ko")
    summary = page.locator(".panel .about span").first
    assert "마지막 축에 대해" in summary.inner_text() and summary.get_attribute("lang") == "ko"
    page.locator(".panel details.fold summary").click()
    field = page.locator('.fields label:has(span:text-is("units")) small')
    assert (field.inner_text(), field.get_attribute("lang")) == ("출력 숫자의 개수", "ko")
    assert "마지막 축에 대해" in (page.locator('[data-node="z1"] > title').text_content() or "")
    page.get_by_role("button", name="English").click()
    page.locator(".panel .about span", has_text="over the last axis").wait_for()
    assert summary.get_attribute("lang") == "en"
    assert (field.inner_text(), field.get_attribute("lang")) == ("numbers out", "en")
    title = page.locator('[data-node="z1"] > title')
    assert "over the last axis" in (title.text_content() or "")
    page.get_by_role("button", name="한국어").click()
    page.locator(".panel .about span", has_text="마지막 축에 대해").wait_for()
    assert "마지막 축에 대해" in (title.text_content() or "")


def test_texts_of_a_layer_that_nobody_translated_are_marked_as_english(page: Page) -> None:
    def without(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        for one in body["layers"]:
            del one["translation"]
        route.fulfill(response=answer, json=body)

    page.route("**/v1/layers?lang=ko", without)
    Explorer(page, "example=window_classifier&at=z1&lang=ko")
    assert page.locator("html").get_attribute("lang") == "ko"
    assert page.locator(".panel .about span").first.get_attribute("lang") == "en"


def test_a_refusal_names_its_subject_in_korean_and_marks_the_english_sentence(
    page: Page, faults: list[str]
) -> None:
    open_editor(page, "example=circuit&lang=ko")
    editor = page.locator(".editor textarea")
    editor.fill(editor.input_value().replace('"multiply"', '"multiplied"'))
    page.locator(".faults li").first.wait_for()
    for place in (page.locator(".faults li").first, page.locator(".refused p")):
        assert "그런 종류의 층이 없습니다\n" in place.inner_text()
        assert "multiplied" in place.locator('[lang="en"]').inner_text()
    assert faults and all("422" in fault for fault in faults)
    faults.clear()


def test_the_words_of_a_lecturer(page: Page) -> None:
    """Words that a literal translation gets wrong, and every text in both languages."""
    Explorer(page)
    texts = page.evaluate(
        """async () => {
          const { GRAPH_TEXTS } = await import('/explorer/lecture/graph_texts.js');
          const value = Object.assign(new String('x'), { numbers: 1, most: 1 });
          const written = (text) => (typeof text === 'function' ? text(value, '0') : text);
          const all = Object.entries(GRAPH_TEXTS).map(([key, both]) => [key, both.map(written)]);
          return Object.fromEntries(all);
        }"""
    )
    assert len(texts) > 200 and all(korean for _, korean in texts.values())
    assert texts["cells"] == ["cells, scaled per strip:", "칸 색(배열마다 최댓값 기준):"]
    assert texts["sizes"][0] == "norms (they do not add):"
    assert "Click a node to go on." in texts["normPathNote"][0]
    assert texts["normPathsTitle"][1] == "경로별로 x에 전해지는 δ"
    assert texts["normPathTitle"][1] == "손실에서 x까지 δ가 전파된 경로"
    assert texts["lastValid"][1] == "마지막으로 올바르던 네트워크를 보여 줍니다."
    assert texts["reset"][1] == "학습 전으로"
    assert texts["tab_plots"][1] == "도표"
    agree = page.evaluate(
        "import('/explorer/lecture/graph_texts.js').then(({ GRAPH_TEXTS }) => GRAPH_TEXTS.agree[1](8, '0'))"
    )
    assert agree.endswith("정확히 일치합니다.")
