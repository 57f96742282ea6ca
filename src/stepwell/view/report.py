"""A comparison as one HTML file: the answer first, then everything it rests on."""

from __future__ import annotations

import os
from pathlib import Path

from stepwell.record.comparison import Comparison
from stepwell.view import report_parts as parts
from stepwell.view.figures import final_intervals, loss_curves, rate_curves, rate_response
from stepwell.view.html_page import Page, figure_html, page_html
from stepwell.view.words import readable
from stepwell.view.write import write_file


def write_report(comparison: Comparison, path: str | os.PathLike[str]) -> Path:
    """Write the report; the path it went to. It works offline and is the same bytes for the same comparison.

    Raises:
        OutputError: the file cannot be written; nothing is left half-written.
        MissingExtraError: plotly is not installed.
    """
    return write_file(path, report_html(comparison))


def report_html(comparison: Comparison) -> str:
    """The report as text. Series keep seven significant digits; long ones are thinned to at most about 800 points."""
    rates, losses = rate_curves(comparison), loss_curves(comparison)
    response, final = rate_response(comparison), final_intervals(comparison)
    what = readable(comparison.metric)
    tables = parts.response_table(comparison)
    sections = (
        parts.section("strategies", "The strategies", parts.ranking(comparison)),
        parts.legend(comparison),
        parts.section("final", f"Final result: {what}", figure_html(final)),
        parts.section("rates", "Learning rate over the run", figure_html(rates)),
        parts.section("losses", "Loss over the run", figure_html(losses)),
        parts.section("response", "How much the rate matters", figure_html(response) + tables) if tables else "",
        parts.section("cost", "What it cost", parts.cost_tiles(comparison)),
        parts.section("runs", "What happened in each run", parts.runs(comparison)),
        parts.section("method", "How this was measured", parts.method(comparison)),
    )
    links = (
        ("strategies", "Table"), ("final", "Result"), ("rates", "Rates"), ("losses", "Losses"),
        *((("response", "Response"),) if tables else ()), ("cost", "Cost"), ("runs", "Runs"), ("method", "Method"),
    )  # fmt: skip
    page = Page(
        title=f"{comparison.task}: learning-rate strategies compared",
        body=parts.answer(comparison) + "\n".join(filter(None, sections)),
        figures=(final, rates, losses, *((response,) if tables else ())),
        best=tuple(result.strategy.name for result in comparison.best),
        links=links,
    )
    return page_html(page)
