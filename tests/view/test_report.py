from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from plotly.offline import get_plotlyjs

from stepwell.errors import OutputError
from stepwell.record.comparison import Comparison
from stepwell.view import meanings
from stepwell.view.figures import final_intervals, loss_curves, rate_curves, rate_response
from stepwell.view.report import report_html, write_report

VOID = {"meta", "link", "br", "img", "input", "hr"}


@dataclass
class Document(HTMLParser):
    """What a browser makes of the page, as far as the tests ask."""

    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    scripts: list[tuple[dict[str, str], str]] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append((tag, found))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "script":
            self.scripts.append((found, ""))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts[-1] = (self.scripts[-1][0], self.scripts[-1][1] + data)
        elif "style" not in self.open:
            self.text += data

    def attributes(self, tag: str) -> list[dict[str, str]]:
        return [attrs for name, attrs in self.tags if name == tag]


def parsed(html: str) -> Document:
    document = Document()
    document.feed(html)
    document.close()
    assert document.open == []
    return document


@pytest.fixture(scope="module")
def page(comparison: Comparison) -> Document:
    return parsed(report_html(comparison))


@pytest.fixture(scope="module")
def nasty_page(nasty: Comparison) -> Document:
    return parsed(report_html(nasty))


def content(document: Document) -> dict[str, Any]:
    (text,) = [text for attrs, text in document.scripts if attrs.get("id") == "figures"]

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    loaded: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return loaded


def test_nothing_is_loaded_from_anywhere(page: Document, nasty_page: Document) -> None:
    for document in (page, nasty_page):
        for _, attrs in document.tags:
            assert not {"srcset", "action", "formaction", "background", "ping"} & attrs.keys()
            for name in ("src", "href"):
                assert attrs.get(name, "#").startswith(("#", "data:,"))


def test_the_policy_admits_our_two_scripts_and_no_request(page: Document) -> None:
    (policy,) = [attrs["content"] for attrs in page.attributes("meta") if "http-equiv" in attrs]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    running = [text for attrs, text in page.scripts if "type" not in attrs]
    (packed,) = [text for attrs, text in page.scripts if attrs.get("id") == "plotly"]
    plotly = gzip.decompress(base64.b64decode(packed)).decode()
    assert plotly == get_plotlyjs()
    assert len(running) == 1
    for script in (*running, plotly):
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in policy.split("style-src")[0]


def test_nothing_from_a_record_is_markup(nasty_page: Document, nasty: Comparison) -> None:
    assert len(nasty_page.attributes("script")) == 3
    assert not nasty_page.attributes("img")
    assert not nasty_page.attributes("b")
    assert not any(name.startswith("on") for _, attrs in nasty_page.tags for name in attrs)
    names = {result.strategy.name for result in nasty.results}
    assert {attrs["data-hides"] for attrs in nasty_page.attributes("button") if "data-hides" in attrs} == names
    assert 'print("</script><script>alert(3)</script>")' in nasty_page.text


def test_every_series_of_the_page_is_that_of_the_figures(page: Document, comparison: Comparison) -> None:
    figures = (final_intervals, rate_curves, loss_curves, rate_response)
    plots = {plot["id"]: plot for plot in content(page)["plots"]}
    for make in figures:
        figure = make(comparison)
        for number, panel in enumerate(figure.panels):
            traces = plots[f"plot-{figure.key}-{number}"]["figure"]["data"]
            lines = [t for t in traces if t["mode"] == "lines" and t["meta"]["kind"] == "line"]
            series = [s for s in panel.series if s.kind == "line"]
            assert len(lines) == len(series)
            for trace, one in zip(lines, series, strict=True):
                shown = [value for value in trace["y"] if value is not None]
                assert shown == pytest.approx([y for y in one.y.tolist() if y == y], rel=1e-6)


def test_every_axis_says_what_it_shows(page: Document, comparison: Comparison) -> None:
    plots = {plot["id"]: plot["figure"]["layout"] for plot in content(page)["plots"]}
    for make in (final_intervals, rate_curves, loss_curves, rate_response):
        figure = make(comparison)
        for number, panel in enumerate(figure.panels):
            layout = plots[f"plot-{figure.key}-{number}"]
            assert layout["xaxis"]["title"]["text"].replace("<br>", " ") == panel.x.label
            named = panel.y.rows or panel.title.lower() == panel.y.label  # by every row, or by the heading above
            assert layout["yaxis"]["title"]["text"] == ("" if named else panel.y.label)


def test_the_answer_comes_first_and_the_numbers_are_those_of_the_record(page: Document, comparison: Comparison) -> None:
    text = page.text
    assert text.index("may each be best") < text.index("The strategies") < text.index("How this was measured")
    for result in comparison.results:
        assert f"{result.mean:.3f}" in text
        assert result.strategy.schedule in text
        for run in result.runs:
            assert run.outcome.words in text
    assert comparison.recommendation.code in text
    assert "148,800" in text
    assert "2.13.0" in text


def test_the_words_of_the_table_are_explained_below_it(page: Document, comparison: Comparison) -> None:
    for meaning in (
        meanings.verdict(comparison), meanings.arrival(comparison), meanings.good(comparison), meanings.at_twice(),
        meanings.endings(comparison),
    ):  # fmt: skip
        assert page.text.count(meaning) == 1
    untuned = parsed(report_html(replace(comparison, settings={"tuning": "none"})))
    assert meanings.at_twice() not in untuned.text


def test_it_can_be_read_without_seeing_it(page: Document) -> None:
    names = [tag for tag, _ in page.tags]
    assert names.count("h1") == names.count("main") == names.count("header") == names.count("footer") == 1
    levels = [int(tag[1]) for tag in names if re.fullmatch("h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all("scope" in attrs for attrs in page.attributes("th"))
    assert names.count("caption") == names.count("table")
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for attrs in (attrs for _, attrs in page.tags if attrs.get("role") == "img"):
        assert attrs["aria-label"]
        assert attrs["aria-describedby"] in ids
    for _, attrs in page.tags:
        assert attrs.get("aria-labelledby", ids[0]) in ids
        if attrs.get("href", "").startswith("#"):
            assert attrs["href"][1:] in ids
    assert page.attributes("html") == [{"lang": "en"}]


def test_the_same_comparison_is_the_same_page_and_not_a_large_one(comparison: Comparison) -> None:
    html = report_html(comparison)
    assert html == report_html(comparison)
    assert len(html) < 2_600_000  # of which plotly.js is 2.0


def test_a_comparison_without_a_race_has_no_response_section(comparison: Comparison) -> None:
    given = replace(comparison, results=tuple(replace(r, response=None) for r in comparison.results))
    document = parsed(report_html(given))
    assert "How much the rate matters" not in document.text


def test_it_is_written_in_one_go(comparison: Comparison, tmp_path: Path) -> None:
    path = write_report(comparison, tmp_path / "report.html")
    assert path.read_text(encoding="utf-8") == report_html(comparison)
    with pytest.raises(OutputError, match="no folder"):
        write_report(comparison, tmp_path / "missing" / "report.html")
