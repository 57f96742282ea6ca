"""A search for a rate as one HTML file: the answer, what it rests on, and what to do now."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from html import escape
from pathlib import Path

from stepwell.record.suggestion import LrSuggestion
from stepwell.view import suggestion_words as words
from stepwell.view.figure import Dash, Figure, Kind
from stepwell.view.figures import rate_scores, rate_sweep, short_runs
from stepwell.view.figures.short_runs import rate_shades
from stepwell.view.html_page import Page, figure_html, legend_html, page_html
from stepwell.view.numbers import count, metric, rate
from stepwell.view.report_parts import section
from stepwell.view.write import write_file

SENTENCE = 20  # characters: a longer cell has a line of its own on a phone
_WIDE = ' class="wide"'


def write_suggestion(suggestion: LrSuggestion, path: str | os.PathLike[str]) -> Path:
    """Write the page; the path it went to. It works offline and is the same bytes for the same search.

    Raises:
        OutputError: the file cannot be written; nothing is left half-written.
        MissingExtraError: plotly is not installed.
    """
    return write_file(path, suggestion_html(suggestion))


def suggestion_html(suggestion: LrSuggestion) -> str:
    """The page as text."""
    scores, runs, sweep = rate_scores(suggestion), short_runs(suggestion), rate_sweep(suggestion)
    parts = (
        ("scores", "Rates", "Which rate", _drawn(scores, _lines_of(scores))),
        ("rates", "Table", "The rates that were tried", _rates(suggestion) if suggestion.probes else ""),
        ("runs", "Runs", "Every short run", _drawn(runs, _rates_of(suggestion)) + _all_runs(suggestion)),
        ("sweep", "Range test", "The range test", _drawn(sweep) + _rules(suggestion) if sweep.panels else ""),
        ("method", "Method", "How this was measured", _method(suggestion)),
    )
    shown = [part for part in parts if part[3]]
    body = _answer(suggestion) + "\n".join(section(anchor, title, text) for anchor, _, title, text in shown)
    page = Page(
        title=f"{suggestion.task}: the learning rate",
        body=body,
        figures=tuple(figure for figure in (scores, runs, sweep) if figure.panels),
        links=tuple((anchor, link) for anchor, link, _, _ in shown),
    )
    return page_html(page)


def _answer(suggestion: LrSuggestion) -> str:
    advice = words.advice(suggestion)
    facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(fact)}</dd>" for name, fact in words.facts(suggestion).items())
    return f"""<section aria-label="The answer">
<p class="facts">{escape(" · ".join(words.asked(suggestion)))}</p>
<h1>{escape(words.headline(suggestion))}</h1>
<p class="lead">{escape(suggestion.words)} <span class="soft">{escape(advice)}</span></p>
</section>
<section class="cards" aria-label="The numbers and what to do now">
<div class="card"><h2>The answer in numbers</h2><dl>{facts}</dl></div>{_what_now(suggestion)}</section>
"""


def _what_now(suggestion: LrSuggestion) -> str:
    if not suggestion.code:
        return ""
    heading = "What now" if math.isfinite(suggestion.lr) else "To try again"
    return f"""<div class="card"><div class="row"><h2>{heading}</h2>
<button type="button" data-copy="code">Copy</button></div>
<pre id="code" tabindex="0" aria-label="Code to paste">{escape(suggestion.code)}</pre></div>"""


def _drawn(figure: Figure, legend: str = "") -> str:
    return legend + figure_html(figure) if figure.panels else ""


def _lines_of(figure: Figure) -> str:
    """A button per line of the scores, or per kind of mark where no run finished."""
    kinds = (Kind.LINE, Kind.POINTS)
    drawn = [s for panel in figure.panels[:1] for s in panel.series if s.kind in kinds and not s.faint]
    named = {series.name: series for series in reversed(drawn)}  # the line comes before its marks
    return legend_html([(name, series.colour, series.dash) for name, series in reversed(named.items())])


def _rates_of(suggestion: LrSuggestion) -> str:
    """A button per rate of the short runs."""
    return legend_html([(rate(lr), shade, Dash.SOLID) for lr, shade in rate_shades(suggestion).items()])


def _rates(suggestion: LrSuggestion) -> str:
    decimals = words.score_decimals(suggestion)
    rows = [
        (
            rate(row.rate),
            count(row.steps),
            ", ".join(map(str, row.seeds)),
            metric(row.score, decimals),
            row.fate,
            row.place,
        )
        for row in words.rate_rows(suggestion)
    ]
    heads = ("Rate", "Updates", "Seeds", words.score_words(suggestion).capitalize(), "Ended", "")
    good = words.tolerance(suggestion) if math.isfinite(suggestion.low) else ""
    about = " ".join(filter(None, ("The longest short runs of every rate.", words.score_meaning(suggestion), good)))
    table = _table(heads, rows, "The rates that were tried", best="suggested")
    return f'{table}<p class="soft spaced">{escape(about)}</p>'


def _all_runs(suggestion: LrSuggestion) -> str:
    if not suggestion.probes:
        return ""
    decimals = words.score_decimals(suggestion)
    rows = [
        (
            rate(probe.lr),
            str(probe.seed),
            probe.stage,
            f"{len(probe.losses)} of {probe.steps}" if len(probe.losses) < probe.steps else count(probe.steps),
            metric(probe.train, decimals),
            metric(probe.val, decimals),
            words.probe_fate(probe),
        )
        for probe in suggestion.probes
    ]
    heads = ("Rate", "Seed", "Stage", "Updates", "Training loss", "Validation loss", "Ended")
    table = _table(heads, rows, "Every short run")
    return f'<details class="spaced"><summary>Every run in the order of the search</summary>{table}</details>'


def _rules(suggestion: LrSuggestion) -> str:
    given = suggestion.sweep.suggestions if suggestion.sweep else {}
    rows = [(name, rate(lr) if math.isfinite(lr) else "none") for name, lr in given.items()]
    return f'<div class="spaced">{_table(("Rule", "Rate"), rows, "What each rule suggests")}</div>' if rows else ""


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]], caption: str, *, best: str = "") -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = ""
    for first, *rest in rows:
        cells = "".join(
            f'<td data-label="{escape(name)}"{_WIDE if not name or len(cell) > SENTENCE else ""}>'
            + (f'<span class="badge best">{escape(cell)}</span>' if best and cell == best else escape(cell))
            + "</td>"
            for name, cell in zip(heads[1:], rest, strict=True)
        )
        body += f'<tr><th scope="row">{escape(first)}</th>{cells}</tr>'
    return (
        f'<div class="stacked scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f'<caption class="unseen">{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _method(suggestion: LrSuggestion) -> str:
    race = (
        "On a seed every rate starts from the same weights, on the same batches, and trains a complete miniature of "
        "the schedule with real updates: first short runs to find the decade, then longer ones on fresh seeds."
    )
    terms = {
        **({"Short runs": race} if suggestion.probes else {}),
        **({"Good": words.tolerance(suggestion)} if math.isfinite(suggestion.low) else {}),
        "Seeds": words.seeds_varied(suggestion),
        "Steps": f"{count(suggestion.spent)} of {count(suggestion.budget)} were spent: an update counts as one, and so "
        "does a batch that was only scored.",
    }
    if suggestion.probes:
        terms["Limits"] = (
            "Short runs see the beginning of training alone. A rate that is good there can be too high for a much "
            "longer run."
        )
    if suggestion.sweep is not None:
        terms["Range test"] = (
            "One run at a rising rate (Smith 2015, arXiv:1506.01186), read by the rules of other packages with their "
            "own smoothing and trimming."
        )
    listed = "".join(f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>" for term, text in terms.items())
    return f"<dl>{listed}</dl>"
