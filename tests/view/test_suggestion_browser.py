"""The page of a search in a real browser. Needs Chromium; nothing is downloaded."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

import lr_suggestions as made
from stepwell.view.suggestion_page import write_suggestion

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="needs Chromium; on Debian or Ubuntu type: apt-get install -y chromium"
)
CUT = """() => [...document.querySelectorAll("tbody td, tbody th, .badge, pre")].filter(
    cell => cell.getClientRects().length && (
        cell.getBoundingClientRect().right > innerWidth || cell.scrollWidth > cell.clientWidth + 1 && cell.clientWidth
    )).map(cell => cell.textContent)"""


@pytest.mark.parametrize("width", [390, 1280])
def test_no_cell_of_a_table_is_cut_on_a_phone_or_a_desk(tmp_path: Path, width: int) -> None:
    path = write_suggestion(made.found(), tmp_path / "report.html")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--headless", "--no-sandbox"])
        page = chromium.new_context(offline=True, viewport={"width": width, "height": 844}).new_page()
        page.goto(path.as_uri())
        page.locator("details").evaluate_all("found => found.forEach(one => { one.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.locator("tbody tr").count() > len(made.RATES)
        assert page.evaluate(CUT) == []
        chromium.close()
