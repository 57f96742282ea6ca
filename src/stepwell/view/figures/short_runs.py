"""Every short run of a search: its loss over the updates, coloured by its rate."""

from __future__ import annotations

import numpy as np

from stepwell.record.suggestion import Array, Fate, LrSuggestion
from stepwell.view.figure import (
    Axis,
    Figure,
    Kind,
    Mark,
    Panel,
    Scale,
    Series,
    Shade,
    fitting_scale,
    visible_range,
    within,
)
from stepwell.view.figures.rate_frame import Extent, end_words, stroke, stroke_words
from stepwell.view.numbers import count, listing, rate
from stepwell.view.spread import window_for

MOST_POINTS = 40  # of a line, before successive losses are averaged


def short_runs(suggestion: LrSuggestion) -> Figure:
    """A panel per length, a line per run; without a panel where no short run was made."""
    title, lengths = "Every short run", sorted({probe.steps for probe in suggestion.probes})
    shades = rate_shades(suggestion)
    panels = tuple(_panel(suggestion, steps, shades) for steps in lengths)
    caption = (
        f"Training loss before each update. The colours run from the lowest rate to the "
        f"highest{stroke_words(suggestion)}."
    )
    ended = sum(probe.fate is not Fate.FINISHED for probe in suggestion.probes)
    caption += " A cross is where a run diverged or failed." if ended else ""
    alt = (
        f"Training loss over the updates of {len(suggestion.probes)} short runs, of "
        f"{listing([count(steps) for steps in lengths])} updates; {ended} of them diverged or failed."
    )
    return Figure("short-runs", title, panels, caption, alt, columns=min(2, len(panels) or 1), height=3.2)


def rate_shades(suggestion: LrSuggestion) -> dict[float, Shade]:
    """The colour of every rate, ascending: by rank, since most rates are tried near the best."""
    rates = sorted({probe.lr for probe in suggestion.probes})
    return {lr: Shade(number / max(1, len(rates) - 1)) for number, lr in enumerate(rates)}


def loss_range(columns: list[Array]) -> tuple[Extent | None, Scale]:
    """What is worth seeing of losses: from the smallest to somewhat above the first, not the peak of a divergence."""
    finite = [column[np.isfinite(column)] for column in columns]
    finite = [column for column in finite if column.size]
    if not finite:
        return None, "linear"
    first, flat = float(np.median([column[0] for column in finite])), np.concatenate(finite)
    room = 0.3 * (first - float(flat.min())) or 0.25 * abs(first) or 0.5
    shown = np.minimum(flat, first + room)
    scale = fitting_scale(shown)
    return visible_range([shown], scale, pad=0.04), scale


def crossed(line: Series, x: float, y: Extent | None, scale: Scale, words: str) -> Series:
    """A cross where a line ends, at the edge of the picture if it left it."""
    known = line.y[np.isfinite(line.y)]
    end = known[-1:] if known.size else np.array([np.inf])
    at = np.clip(end, *within(y, scale)) if y else np.zeros(1)
    mark = {"group": line.group, "colour": line.colour, "mark": Mark.CROSS}
    return Series(line.name, Kind.POINTS, np.array([x]), at, notes=(words,), **mark)  # type: ignore[arg-type]  # a dict


def _panel(suggestion: LrSuggestion, steps: int, shades: dict[float, Shade]) -> Panel:
    window = window_for(steps, points=MOST_POINTS)
    probes = sorted((probe for probe in suggestion.probes if probe.steps == steps), key=lambda probe: probe.lr)
    drawn = [_averaged(probe.losses, window) for probe in probes]
    y, scale = loss_range([losses for _, losses in drawn])
    many = len({probe.seed for probe in probes}) > 1
    series = []
    for probe, (x, losses) in zip(probes, drawn, strict=True):
        line = Series(
            name=rate(probe.lr) + (f", seed {probe.seed}" if many else ""),
            kind=Kind.LINE,
            x=x,
            y=losses,
            group=rate(probe.lr),
            colour=shades[probe.lr],
            dash=stroke(suggestion, probe.seed),
        )
        series.append(line)
        if probe.fate is not Fate.FINISHED:
            series.append(crossed(line, max(0.0, len(probe.losses) - 1.0), y, scale, end_words(probe)))
    across = Axis("update", range=(-0.02 * steps, max(1.0, 1.02 * (steps - 1))))
    title = f"{count(steps)} updates" + (f", mean of {window} at a time" if window > 1 else "")
    return Panel(across, Axis("training loss", scale, y), tuple(series), title=title)


def _averaged(losses: Array, window: int) -> tuple[Array, Array]:
    """The mean of every `window` successive losses at the middle of its window; a gap where one is not finite."""
    starts = np.arange(0, losses.size, window)
    if not starts.size:
        return np.zeros(0), np.zeros(0)
    sizes = np.diff(np.append(starts, losses.size))
    known = np.where(np.isfinite(losses), losses, np.nan)
    return starts + (sizes - 1) / 2, np.add.reduceat(known, starts) / sizes
