"""Comparisons and searches as still pictures, for papers and slides."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from stepwell.record.comparison import Comparison
from stepwell.record.suggestion import LrSuggestion
from stepwell.view.figure import Figure
from stepwell.view.figures import (
    final_intervals,
    loss_curves,
    rate_curves,
    rate_response,
    rate_scores,
    rate_sweep,
    short_runs,
)
from stepwell.view.matplotlib_render import pictures
from stepwell.view.write import make_folder, write_file

SUFFIXES = ("png", "svg")


def write_pictures(comparison: Comparison, folder: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Write every figure as PNG and SVG; the paths they went to: `rates.png`, `rates.svg`, `losses.png`, ...

    All pictures are drawn before the first is written. A missing folder is made.

    Raises:
        OutputError: the folder or a file cannot be written.
        MissingExtraError: matplotlib is not installed.
    """
    figures = (
        final_intervals(comparison),
        rate_curves(comparison, facets=True),
        loss_curves(comparison),
        rate_response(comparison),
    )
    return _write(figures, folder)


def write_suggestion_pictures(suggestion: LrSuggestion, folder: str | os.PathLike[str]) -> tuple[Path, ...]:
    """The same for a search for a rate: `scores.png`, `short-runs.png`, `sweep.png`, ..., of what there is.

    Raises:
        OutputError: the folder or a file cannot be written.
        MissingExtraError: matplotlib is not installed.
    """
    return _write((rate_scores(suggestion), short_runs(suggestion), rate_sweep(suggestion)), folder)


def _write(figures: Iterable[Figure], folder: str | os.PathLike[str]) -> tuple[Path, ...]:
    drawn = {
        f"{figure.key}.{suffix}": content
        for figure in figures
        if figure.panels
        for suffix, content in pictures(figure, SUFFIXES).items()
    }
    place = make_folder(folder)
    return tuple(write_file(place / name, content) for name, content in drawn.items())
