"""Curves as CSV and as one interactive page."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from stepwell.errors import OutputError
from stepwell.view import palette
from stepwell.view.figure import Figure
from stepwell.view.figures.curves import curve_values
from stepwell.view.html_page import Page, figure_html, legend_html, page_html

if TYPE_CHECKING:
    from stepwell.schedule import Curve

MOST_ROWS = 5_000_000


def curves_csv(curves: Sequence[tuple[str, Curve]], *, base_lr: float | None = None, steps: int | None = None) -> str:
    """One row per update: `step`, then every curve by its name; other entries than the rate as `name (momentum)`.

    Numbers read back as the same 64-bit values. A curve that ends earlier leaves its cells empty.

    Raises:
        OutputError: more than five million rows.
        OptionError: a curve has no end and `steps` is not given.
    """
    num_rows = max((curve.total_steps or steps or 0 for _, curve in curves), default=0)
    if num_rows > MOST_ROWS:
        raise OutputError(f"a CSV file of {num_rows:,} rows is too long; the most is {MOST_ROWS:,}")
    columns = {
        name if entry == "lr" else f"{name} ({entry})": curve_values(
            name, curve, entry, scale=base_lr if base_lr is not None and entry == "lr" else 1.0, steps=steps
        ).tolist()
        for name, curve in curves
        for entry in curve.entries
    }
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["step", *columns])
    rows.writerows(
        [step, *(column[step] if step < len(column) else "" for column in columns.values())] for step in range(num_rows)
    )
    return text.getvalue()


def curves_page(figure: Figure) -> str:
    """The figure of `figure_of_curves` as one HTML file that works offline.

    Raises:
        MissingExtraError: plotly is not installed.
    """
    strokes = [(name, number, palette.dash(number)) for number, name in enumerate(figure.groups)]
    body = f"<h1>{escape(figure.title)}</h1>{legend_html(strokes)}<section>{figure_html(figure)}</section>"
    return page_html(Page(title=f"{figure.title}: {', '.join(figure.groups)}", body=body, figures=(figure,)))
