"""The report in a real browser. Needs Chromium; nothing is downloaded."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from stepwell.record.comparison import Comparison
from stepwell.view.report import write_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="needs Chromium; on Debian or Ubuntu type: apt-get install -y chromium"
)
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def complaints() -> list[str]:
    return []


@pytest.fixture(scope="module")
def page(
    browser: Browser, comparison: Comparison, complaints: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Page:
    path = write_report(comparison, tmp_path_factory.mktemp("report") / "report.html")
    return opened(browser, path, complaints)


def opened(browser: Browser, path: Path, complaints: list[str]) -> Page:
    """The report in a browser without a network, every chart drawn. Scrolling takes no time."""
    context = browser.new_context(
        offline=True, viewport={"width": 1280, "height": 900}, color_scheme="light", reduced_motion="reduce"
    )
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.on("request", lambda request: complaints.extend([] if request.url == path.as_uri() else [request.url]))
    page.set_default_timeout(60_000)
    page.goto(path.as_uri())
    for plot in page.locator(".plot").evaluate_all("places => places.map(place => place.id)"):
        in_view(page, plot)
    return page


def in_view(page: Page, plot: str) -> None:
    """Scroll to a chart, which is drawn when it comes near."""
    place = page.locator(f"#{plot}")
    place.scroll_into_view_if_needed()
    place.locator(".main-svg").first.wait_for(state="attached")


def until(page: Page, expression: str, expected: object) -> None:
    """Wait for a value. Playwright's own wait evaluates text in the page, which the page's policy forbids."""
    for _ in range(100):
        if page.evaluate(expression) == expected:
            return
        page.wait_for_timeout(50)
    assert page.evaluate(expression) == expected


def until_drawn(page: Page, plot: str, expression: str, expected: object) -> None:
    """Wait for a value of a chart, which is drawn again only near the screen: focus and clicks scroll the page."""
    in_view(page, plot)
    until(page, expression, expected)


def test_it_loads_without_a_complaint_or_a_request(page: Page, complaints: list[str]) -> None:
    assert page.locator(".js-plotly-plot").count() == page.locator(".plot").count() > 5
    assert complaints == []


def test_the_theme_also_restyles_the_plots(page: Page, complaints: list[str]) -> None:
    ground = "document.getElementById('plot-final-0')._fullLayout.paper_bgcolor"
    until_drawn(page, "plot-final-0", ground, "#ffffff")
    page.get_by_role("button", name="Switch to the dark theme").click()
    until(page, "getComputedStyle(document.body).backgroundColor", "rgb(16, 19, 24)")
    until_drawn(page, "plot-final-0", ground, "#171a20")
    page.get_by_role("button", name="Switch to the light theme").click()
    until_drawn(page, "plot-final-0", ground, "#ffffff")
    assert complaints == []


def test_a_strategy_can_be_hidden_everywhere(page: Page, complaints: list[str]) -> None:
    seen = (
        "document.getElementById('plot-rates-0')._fullData"
        ".filter(t => t.visible === true && t.meta.group === 'step' && t.meta.kind !== 'band').length"
    )
    small = page.locator(".panel").filter(has=page.locator("h3:text-is('step')"))
    until_drawn(page, "plot-rates-0", seen, 1)
    button = page.get_by_role("group", name="Shown in the charts").get_by_role("button", name="step", exact=True)
    button.press("Enter")
    until_drawn(page, "plot-rates-0", seen, 0)
    assert button.get_attribute("aria-pressed") == "false"
    assert small.is_hidden()
    page.get_by_role("button", name="all", exact=True).click()
    until_drawn(page, "plot-rates-0", seen, 1)
    assert small.is_visible()
    assert complaints == []


def test_the_keyboard_goes_through_the_legend_without_leaving_the_chart(page: Page, complaints: list[str]) -> None:
    in_view(page, "plot-losses-0")
    buttons = page.get_by_role("group", name="Shown in the charts").get_by_role("button")
    before = page.evaluate("scrollY")
    for number in range(3):
        buttons.nth(number).focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.parentElement.className") == "legend"
    assert page.evaluate("scrollY") == before > 0
    assert complaints == []


def test_a_name_in_the_table_highlights_its_strategy(page: Page, complaints: list[str]) -> None:
    page.locator("th").get_by_role("button", name="step", exact=True).click()
    traces = "document.getElementById('plot-rates-0')._fullData"
    shades = f"{traces}.filter(t => t.visible === true && t.meta.group === 'cosine').map(t => t.opacity)"
    until_drawn(page, "plot-rates-0", shades, [0.2])
    assert page.evaluate(f"{traces}.at(-1).meta.group") == "step"  # drawn last, on top
    page.keyboard.press("Escape")
    until_drawn(page, "plot-rates-0", shades, [1])
    assert complaints == []


def test_no_button_sends_anything_away_and_a_zoom_survives_the_theme(page: Page, complaints: list[str]) -> None:
    in_view(page, "plot-losses-0")
    titles = page.locator("#plot-losses-0 .modebar-btn").evaluate_all("all => all.map(button => button.dataset.title)")
    assert titles == ["Download plot", "Zoom", "Pan", "Reset axes"]
    shown = "document.getElementById('plot-losses-0')._fullLayout.xaxis.range"
    whole = page.evaluate(shown)
    page.locator("#plot-losses-0 .modebar-btn").nth(1).click()  # our own buttons must not take it for theirs
    box = page.locator("#plot-losses-0 .nsewdrag").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 100, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, box["y"] + 200, steps=5)
    page.mouse.up()
    until(page, f"{shown}[1] < {whole[1]}", True)
    zoomed = page.evaluate(shown)
    page.get_by_role("button", name="Switch to the dark theme").click()
    until(page, "document.documentElement.dataset.theme", "dark")
    until_drawn(page, "plot-losses-0", shown, zoomed)
    page.get_by_role("button", name="Switch to the light theme").click()
    assert complaints == []


@pytest.mark.parametrize(("width", "display"), [(390, "none"), (1280, "block")])
def test_the_buttons_of_a_chart_cover_nothing_on_a_narrow_screen(page: Page, width: int, display: str) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    for plot in ("plot-losses-0", "plot-response-0"):
        in_view(page, plot)
        shown = f"getComputedStyle(document.querySelector('#{plot} .modebar')).display"
        until(page, shown, display)


@pytest.mark.parametrize("width", [400, 800, 1180, 1400])
def test_the_page_is_not_wider_than_the_screen_and_nothing_is_cut(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    until(page, f"document.documentElement.scrollWidth <= {width}", True)
    cut = (
        "[...document.querySelectorAll('.card, .card pre, .ranking, .ranking tbody tr > *, .ranking .badge, .notes')]"
        ".filter(box => box.clientWidth && box.scrollWidth > box.clientWidth + 1)"
        ".map(box => `${box.tagName} ${box.className} ${box.textContent.slice(0, 40)}`)"
    )
    assert page.evaluate(cut) == []


def test_nasty_names_are_shown_as_they_are(browser: Browser, nasty: Comparison, tmp_path: Path) -> None:
    complaints: list[str] = []
    page = opened(browser, write_report(nasty, tmp_path / "report.html"), complaints)
    shown = page.locator("#plot-final-0 .ytick text").all_text_contents()
    assert {result.strategy.name for result in nasty.ranked} == set(shown)
    assert complaints == []
