"""The classical range test: the loss while the rate rises, and what each rule reads from it."""

from __future__ import annotations

import math

import numpy as np

from stepwell.record.suggestion import LrSuggestion
from stepwell.view.figure import Axis, Figure, Kind, Panel, Series, visible_range
from stepwell.view.figures.rate_frame import finite, frame, frame_words, rules_alt, rules_panel
from stepwell.view.figures.short_runs import crossed, loss_range
from stepwell.view.numbers import count, rate
from stepwell.view.spread import thinned


def rate_sweep(suggestion: LrSuggestion, *, in_text: bool = False) -> Figure:
    """The raw loss of the range test against the rate, and the rates that rules suggest; no panel without a sweep.

    Args:
        suggestion: the search.
        in_text: the caption is for a terminal, whose legend has the signs.
    """
    sweep, title = suggestion.sweep, "The range test"
    if sweep is None or not len(sweep.rates):
        return Figure("sweep", title, (), "", "")
    answer = finite((suggestion.lr, suggestion.low, suggestion.high, suggestion.edge))
    extent = visible_range([sweep.rates, answer], "log", pad=0.03) or (0.1, 1.0)
    y, scale = loss_range([sweep.losses])
    known = np.where(np.isfinite(sweep.losses), sweep.losses, np.nan)
    keep = thinned(known)
    line = Series("raw loss", Kind.LINE, sweep.rates[keep], known[keep], group="raw loss", colour=0)
    last, at = float(sweep.losses[-1]), float(sweep.rates[-1])
    ends = [] if math.isfinite(last) else [crossed(line, at, y, scale, f"not finite at {rate(at)}")]
    main = Panel(
        Axis("base rate of the update", "log", extent),
        Axis("training loss", scale, y),
        (*frame(suggestion), line, *ends),
    )
    rules = rules_panel(suggestion, extent)
    caption = (
        f"One run of {count(len(sweep.rates))} updates whose rate rises with every update, and its raw training loss. "
        f"It confuses the rate with time, so it is here to be compared with. "
        f"{'A cross is where the loss was not finite. ' if ends else ''}{'' if in_text else frame_words(suggestion)}"
        + ("Below: the rate that each rule reads from it." if rules else "")
    )
    alt = f"Training loss against a rising rate. {rules_alt(suggestion)}".strip()
    return Figure("sweep", title, (main, rules) if rules else (main,), caption.strip(), alt, height=3.0)
