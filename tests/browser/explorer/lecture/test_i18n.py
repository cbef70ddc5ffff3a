"""The page in Korean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.explorer import Explorer

if TYPE_CHECKING:
    from playwright.sync_api import Page

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
