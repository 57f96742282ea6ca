"""Which rate: the score of every short run against its rate, with the answer in it."""

from __future__ import annotations

import math
from itertools import groupby

import numpy as np

from stepwell.record.suggestion import Array, Fate, LrSuggestion, Probe
from stepwell.view.figure import Axis, Figure, Kind, Mark, Panel, Scale, Series, fitting_scale, visible_range, within
from stepwell.view.figures.rate_frame import (
    GREEN,
    Extent,
    end_words,
    finite,
    frame,
    frame_words,
    rates_tried,
    rules_alt,
    rules_panel,
    seeds_used,
    stroke,
    stroke_words,
    sweep_words,
)
from stepwell.view.numbers import count, rate, significant
from stepwell.view.palette import THEMES
from stepwell.view.suggestion_words import score_words

_COLOURS = tuple(number for number in range(len(THEMES["light"].colours)) if number != GREEN)  # by length
ABOVE = 0.3  # of what the best run gained: so far above the score before the first update others are still shown


def rate_scores(suggestion: LrSuggestion, *, in_text: bool = False) -> Figure:
    """Score against rate, a point per short run; below it what the rules of other packages suggest.

    Without a panel where no short run was made.

    Args:
        suggestion: the search.
        in_text: the caption is for a terminal, which has neither strokes nor pale lines and perhaps no colours, and
            whose legend has the signs.
    """
    extent, what, title = rates_tried(suggestion), score_words(suggestion), "Which rate"
    if not suggestion.probes or extent is None:
        return Figure("scores", title, (), "", "")
    scale, y = _score_axis(suggestion)
    lines = _lines(suggestion, y, scale)
    main = Panel(
        Axis("base rate", "log", extent),
        Axis(what, scale, y),
        (*frame(suggestion), *_untrained(suggestion, extent), *lines),
    )
    rules = rules_panel(suggestion, extent)
    caption = (
        f"{what.capitalize()} after a short run, against its base rate. A dot is one run; a line joins the runs of one "
        f"length on one seed{'' if in_text else stroke_words(suggestion)}. {_mark_words(lines)}"
        + _untrained_words(suggestion, in_text=in_text)
        + ("" if in_text else frame_words(suggestion))
        + (f"Below: what the rules of other packages read from {sweep_words(suggestion)}." if rules else "")
    )
    panels = (main, rules) if rules else (main,)
    return Figure("scores", title, panels, caption.strip(), _alt(suggestion), height=3.4)


def _lines(suggestion: LrSuggestion, y: Extent, scale: Scale) -> list[Series]:
    """Per length and seed: a line through the finished runs, and their marks."""
    lengths = sorted({probe.steps for probe in suggestion.probes}, reverse=True)
    seeds, top = seeds_used(suggestion), within(y, scale)[1]
    ordered = sorted(suggestion.probes, key=lambda probe: (probe.steps, seeds.index(probe.seed), probe.lr))
    found = []
    for (steps, seed), same in groupby(ordered, key=lambda probe: (probe.steps, probe.seed)):
        name = f"{count(steps)} updates" + (f", seed {seed}" if len(seeds) > 1 else "")
        colour, probes = _COLOURS[lengths.index(steps) % len(_COLOURS)], list(same)
        done = [probe for probe in probes if _mark(probe, top) is not Mark.CROSS]
        if done:
            x, up = _places(done, top)
            found.append(Series(name, Kind.LINE, x, up, group=name, colour=colour, dash=stroke(suggestion, seed)))
        for mark in (Mark.DOT, Mark.RING, Mark.CROSS):
            runs = [probe for probe in probes if _mark(probe, top) is mark]
            if runs:
                x, up = _places(runs, top)
                notes = tuple(_note(probe) for probe in runs)
                found.append(Series(name, Kind.POINTS, x, up, group=name, colour=colour, mark=mark, notes=notes))
    return found


def _mark(probe: Probe, top: float) -> Mark:
    if probe.fate is not Fate.FINISHED or not math.isfinite(probe.score):
        return Mark.CROSS
    return Mark.RING if probe.score > top else Mark.DOT


def _places(probes: list[Probe], top: float) -> tuple[Array, Array]:
    """Rates and scores; what has no place in the picture is at its top."""
    scores = np.array([probe.score for probe in probes])
    return np.array([probe.lr for probe in probes]), np.where(scores <= top, scores, top)


def _note(probe: Probe) -> str:
    return f"{rate(probe.lr)}: {significant(probe.score, 4)}" if probe.fate is Fate.FINISHED else end_words(probe)


def _mark_words(lines: list[Series]) -> str:
    """What the marks in the picture mean, but a dot."""
    words = {Mark.RING: "A ring ended above the picture. ", Mark.CROSS: "A cross diverged or failed. "}
    marks = {series.mark for series in lines if series.kind is Kind.POINTS}
    return "".join(text for mark, text in words.items() if mark in marks)


def _score_axis(suggestion: LrSuggestion) -> tuple[Scale, Extent]:
    """From the best score to somewhat above that before the first update, where there is one."""
    scores = finite(probe.score for probe in suggestion.probes)
    if not math.isfinite(suggestion.initial):
        shown = scores
    elif not (scores < suggestion.initial).any():  # nothing learned: all there is
        shown = np.append(scores, suggestion.initial)
    else:
        near = suggestion.initial + ABOVE * (suggestion.initial - scores.min())  # seeds begin at losses of their own
        shown = np.append(scores[scores <= near], suggestion.initial)
    scale = fitting_scale(shown)
    return scale, visible_range([shown], scale, pad=0.12) or (0.0, 1.0)


def _untrained(suggestion: LrSuggestion, extent: Extent) -> list[Series]:
    if not math.isfinite(suggestion.initial):
        return []
    level = np.full(2, suggestion.initial)
    return [Series("before the first update", Kind.LINE, np.array(extent), level, faint=True)]


def _untrained_words(suggestion: LrSuggestion, *, in_text: bool) -> str:
    """The level of the pale line."""
    if not math.isfinite(suggestion.initial):
        return ""
    level = significant(suggestion.initial) + (" (mean of the seeds)" if len(seeds_used(suggestion)) > 1 else "")
    if in_text:
        return f"Before the first update it was {level}. "
    return f"The pale grey line is the {score_words(suggestion)} before the first update, {level}. "


def _alt(suggestion: LrSuggestion) -> str:
    lost = sum(probe.fate is not Fate.FINISHED for probe in suggestion.probes)
    what = f"{score_words(suggestion).capitalize()} against base rate for {len(suggestion.probes)} short runs, "
    return f"{what}{lost} of which diverged or failed. {suggestion.words} {rules_alt(suggestion)}".strip()
