"""A curve in one line of text."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN = "_.:-=+*#"
HUGE = 1e150


def sparkline(values: ArrayLike, width: int = 12, *, low: float | None = None, ascii_only: bool = False) -> str:
    """The shape of a series in `width` characters: the lowest is `▁`, the highest `█`, a gap a blank.

    Args:
        values: any length; every character shows the mean of its share of them.
        width: how many characters; fewer values than that give one character each.
        low: the value at the bottom; None takes the smallest. A series that never changes stands at the top.
        ascii_only: for terminals whose encoding has no blocks.

    Example:
        >>> sparkline([8, 7, 6, 5, 4, 3, 2, 1], width=8)
        '█▇▆▅▄▃▂▁'
        >>> sparkline([1, 1, 1, 1], width=4, low=0, ascii_only=True)
        '####'
    """
    marks = PLAIN if ascii_only else BLOCKS
    series = np.asarray(values, dtype=np.float64).ravel()
    largest = np.abs(series[np.isfinite(series)]).max(initial=0.0)
    if largest > HUGE:  # so that neither a sum nor a difference overflows
        series, low = series / largest, None if low is None else low / largest
    parts = np.array_split(series, min(width, series.size)) if series.size else []
    heights = np.array([part[np.isfinite(part)].mean() if np.isfinite(part).any() else np.nan for part in parts])
    known = heights[np.isfinite(heights)]
    if not known.size:
        return " " * len(heights)
    bottom, top = known.min() if low is None else low, known.max()
    share = (heights - bottom) / (top - bottom) if top > bottom else np.ones_like(heights)
    levels = [None if np.isnan(s) else int(np.clip(round(s * (len(marks) - 1)), 0, len(marks) - 1)) for s in share]
    return "".join(" " if level is None else marks[level] for level in levels)
