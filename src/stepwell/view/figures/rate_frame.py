"""What every picture of a search shows: the good rates, the suggestion, the failure edge, and what other rules say."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from stepwell.record.suggestion import Array, LrSuggestion, Probe
from stepwell.view.figure import Axis, Dash, Kind, Mark, Panel, Series, visible_range, within
from stepwell.view.numbers import count, listing, rate

GREEN = 3  # of the suggestion, beside the region of the good rates
STROKES = (Dash.SOLID, Dash.DASH, Dash.DOT)  # by seed
Extent: TypeAlias = tuple[float, float]


def frame(suggestion: LrSuggestion) -> tuple[Series, ...]:
    """The good rates as a region, the suggestion and the failure edge as lines."""
    found = []
    good, edge, lr = np.array([suggestion.low, suggestion.high]), suggestion.edge, suggestion.lr
    if good[0] < good[1]:
        note = f"good from {rate(good[0])} to {rate(good[1])}"
        found.append(Series(note, Kind.REGION, good, group="good rates", notes=(note,)))
    if math.isfinite(edge):
        words = f"fails at {rate(edge)}"
        found.append(Series(words, Kind.VLINE, np.array([edge]), dash=Dash.DASH, labels=(words,)))
    if math.isfinite(lr):
        words = f"suggested {rate(lr)}"
        line = Series(words, Kind.VLINE, np.array([lr]), group="suggested", colour=GREEN)
        found.append(replace(line, mark=Mark.BEFORE, labels=(words,)))
    return tuple(found)


def frame_words(suggestion: LrSuggestion) -> str:
    """The frame as a sentence of the caption; empty where there is none."""
    parts = []
    if suggestion.low < suggestion.high:
        parts.append(f"shaded are the rates as good as the best, {rate(suggestion.low)} to {rate(suggestion.high)}")
    if math.isfinite(suggestion.lr):
        parts.append(f"the green line is the suggestion, {rate(suggestion.lr)}")
    if math.isfinite(suggestion.edge):
        parts.append(f"the grey dashed line is the lowest rate above it that was seen to fail, {rate(suggestion.edge)}")
    words = "; ".join(parts)
    return f"{words[0].upper()}{words[1:]}. " if words else ""


def rules_panel(suggestion: LrSuggestion, extent: Extent) -> Panel | None:
    """A row for ours with its interval, and one for every rule that read the sweep; None where nobody suggests any."""
    given = suggestion.sweep.suggestions if suggestion.sweep else {}
    if not finite([suggestion.lr, *given.values()]).size or not given:
        return None
    rows = ("stepwell", *(name if math.isfinite(lr) else f"{name} (none)" for name, lr in given.items()))
    series = [replace(one, labels=()) for one in frame(suggestion)]
    if math.isfinite(suggestion.lr):
        series.append(_ours(suggestion))
    series += [_rule(row, name, lr, extent) for row, (name, lr) in enumerate(given.items(), 1) if math.isfinite(lr)]
    return Panel(Axis("base rate", "log", extent), Axis("", rows=rows), tuple(series), title="What each rule suggests")


def rules_alt(suggestion: LrSuggestion) -> str:
    """The answers of the rules, for a reader who cannot see them; empty where there was no sweep."""
    if suggestion.sweep is None or not suggestion.sweep.suggestions:
        return ""
    given = (f"{name} {rate(lr)}" for name, lr in suggestion.sweep.suggestions.items())
    return f"The rules of other packages: {'; '.join(given)}."


def sweep_words(suggestion: LrSuggestion) -> str:
    """The range test with its length, as a clause."""
    made = 0 if suggestion.sweep is None else len(suggestion.sweep.rates)
    return f"a range test of {count(made)} updates"


def rates_tried(suggestion: LrSuggestion) -> Extent | None:
    """The range that holds every rate that was tried, and the answer; with room at the right for the words there."""
    answer = (suggestion.lr, suggestion.low, suggestion.high, suggestion.edge)
    found = visible_range([finite([*(probe.lr for probe in suggestion.probes), *answer])], "log", pad=0.05)
    return found and (found[0], found[1] * (found[1] / found[0]) ** 0.06)


def seeds_used(suggestion: LrSuggestion) -> list[int]:
    """The seeds in the order in which they were used."""
    return list(dict.fromkeys(probe.seed for probe in suggestion.probes))


def stroke(suggestion: LrSuggestion, seed: int) -> Dash:
    """The stroke of a seed."""
    return STROKES[seeds_used(suggestion).index(seed) % len(STROKES)]


def stroke_words(suggestion: LrSuggestion) -> str:
    """Which stroke is which seed, as a clause of a caption; empty with one seed."""
    names = {Dash.SOLID: "solid", Dash.DASH: "dashed", Dash.DOT: "dotted"}
    seeds = seeds_used(suggestion)
    if len(seeds) < 2:
        return ""
    strokes = [f"{names[stroke(suggestion, seed)]} for seed {seed}" for seed in seeds]
    return f", {listing(strokes)}"


def end_words(probe: Probe) -> str:
    """How a run ended, for hovering."""
    return f"{rate(probe.lr)}: {probe.words or probe.fate.value}"


def finite(values: Iterable[float]) -> Array:
    """The values that are finite."""
    found = np.array([*values], dtype=np.float64)
    return found[np.isfinite(found)]


def _ours(suggestion: LrSuggestion) -> Series:
    lr = np.array([suggestion.lr])
    low, high = (np.where(np.isfinite(end), end, lr) for end in (suggestion.low, suggestion.high))
    dot = Series("stepwell", Kind.INTERVALS, lr, np.zeros(1), low, high, group="suggested", colour=GREEN)
    return replace(dot, notes=(f"stepwell: {rate(suggestion.lr)}",))


def _rule(row: int, name: str, lr: float, extent: Extent) -> Series:
    """The answer of one rule; an arrow with the rate where it lies outside the picture."""
    y, note = np.array([float(row)]), (f"{name}: {rate(lr)}",)
    if extent[0] <= lr <= extent[1]:
        return Series(name, Kind.POINTS, np.array([lr]), y, group=name, notes=note)
    at = np.clip([lr], *within(extent, "log", air=0.01))
    mark = Mark.BEFORE if lr < extent[0] else Mark.BEYOND
    return Series(name, Kind.POINTS, at, y, group=name, mark=mark, notes=note, labels=(rate(lr),))
