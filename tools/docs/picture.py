"""Take the README's picture, docs/explorer.png, of the explorer as the service serves it."""

from __future__ import annotations

from pathlib import Path

from support.browser import chromium
from support.service import running_service

PICTURE = Path(__file__).parents[2] / "docs" / "explorer.png"
STATE = "#example=sigmoid_neuron_gates&at=x0"

with running_service() as service, chromium() as browser:
    page = browser.new_page(viewport={"width": 1280, "height": 760}, color_scheme="light")
    page.goto(f"{service}/{STATE}")
    page.locator('[data-panel="x0"] .katex').first.wait_for()
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready.then(() => true)")
    page.screenshot(path=PICTURE)
print(f"{PICTURE} ({PICTURE.stat().st_size} bytes)")
