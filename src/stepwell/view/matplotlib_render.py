"""Figures as still pictures, for papers, notebooks and slides. Leaves pyplot and its settings alone."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from stepwell.errors import MissingExtraError, OptionError
from stepwell.view import palette
from stepwell.view.figure import Axis, Dash, Figure, Kind, Mark, Panel, Series
from stepwell.view.labels import LONGEST, STROKES, legend_below, named_lines, place_labels
from stepwell.view.numbers import MINUS, rate, significant
from stepwell.view.palette import THEMES, Theme, ThemeName

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

WIDTH = 9.6  # inches
_MARKS = {Mark.DOT: "o", Mark.TICK: "|", Mark.CROSS: "X", Mark.RING: "o", Mark.BEYOND: ">", Mark.BEFORE: "<"}
_SIZES = {Mark.DOT: 4.5, Mark.TICK: 13.0, Mark.CROSS: 6.0, Mark.RING: 4.5, Mark.BEYOND: 6.0, Mark.BEFORE: 6.0}


def draw(figure: Figure, *, ax: Axes | Sequence[Axes] | None = None, theme: ThemeName = "light") -> Canvas:
    """Draw a figure; give it to `picture` or to a notebook.

    Args:
        figure: what to draw.
        theme: light or dark.
        ax: axes of your own to draw in, one per panel; the title and the caption are left to you then.

    Raises:
        OptionError: `ax` has not one axes per panel.
        MissingExtraError: matplotlib is not installed.
    """
    colours = THEMES[theme]
    if ax is None:
        canvas, axes = _canvas(figure, colours)
    else:
        axes = list(ax) if isinstance(ax, Sequence | np.ndarray) else [ax]
        if len(axes) != len(figure.panels):
            raise OptionError(f"the figure {figure.key!r} has {len(figure.panels)} panels, got {len(axes)} axes")
        canvas = axes[0].get_figure(root=True)  # type: ignore[assignment]  # never None for axes in use
    for number, (panel, axis) in enumerate(zip(figure.panels, axes, strict=True)):
        _draw_panel(panel, axis, colours, inner=_is_inner(figure, number), small=figure.columns > 2)
    _name_lines(figure, axes, colours)
    return canvas


def picture(figure: Figure, suffix: str, *, theme: ThemeName = "light") -> bytes:
    """The figure as a file's content, the same bytes every time.

    Args:
        figure: what to draw.
        suffix: `png`, `svg` or `pdf`.
        theme: light or dark.

    Raises:
        OptionError: another suffix.
        MissingExtraError: matplotlib is not installed.
    """
    return pictures(figure, (suffix,), theme=theme)[suffix]


def pictures(figure: Figure, suffixes: Sequence[str], *, theme: ThemeName = "light") -> dict[str, bytes]:
    """The figure in several formats, drawn once; see `picture`."""
    facts: dict[str, dict[str, Any]] = {
        "png": {"Title": figure.title, "Description": figure.alt},
        "svg": {"Title": figure.title, "Description": figure.alt, "Date": None},
        "pdf": {"Title": figure.title, "Subject": figure.alt, "CreationDate": None},
    }
    for suffix in suffixes:
        if suffix not in facts:
            raise OptionError(f"a picture can be png, svg or pdf, got {suffix!r}")
    canvas = draw(figure, theme=theme)
    from matplotlib import rc_context

    found = {}
    with rc_context({"svg.hashsalt": "stepwell", "pdf.fonttype": 42}):
        for suffix in suffixes:
            content = BytesIO()
            canvas.savefig(content, format=suffix, dpi=160, metadata=facts[suffix], facecolor=canvas.get_facecolor())
            found[suffix] = content.getvalue()
    return found


def _canvas(figure: Figure, theme: Theme) -> tuple[Canvas, list[Axes]]:
    """An empty canvas with one axes per panel, and the words around them."""
    try:
        from matplotlib.figure import Figure as Canvas
        from matplotlib.layout_engine import ConstrainedLayoutEngine
    except ImportError:
        raise MissingExtraError("matplotlib", "plot", "drawing a picture") from None
    columns = max(1, min(figure.columns, len(figure.panels)))
    rows = -(-len(figure.panels) // columns)
    caption = _wrapped(figure.caption, 160)
    above, below = 0.62, 0.30 + 0.19 * (caption.count("\n") + 1)
    height = above + rows * figure.height + below
    room = ConstrainedLayoutEngine(rect=(0.008, below / height, 0.984, 1 - (above + below) / height))
    canvas = Canvas(figsize=(WIDTH, height), facecolor=theme.ground, layout=room)
    canvas.text(
        0.014, 1 - 0.2 / height, figure.title, size=14, weight="bold", color=theme.ink, va="top", parse_math=False
    )  # fmt: skip
    canvas.text(0.014, 0.12 / height, caption, size=8, color=theme.soft, va="bottom", linespacing=1.4, parse_math=False)
    grid = canvas.subplots(rows, columns, squeeze=False, sharex=columns > 2, sharey=_share_rows(figure, columns))
    axes = list(grid.flat)
    for spare in axes[len(figure.panels) :]:
        spare.set_axis_off()
    return canvas, axes[: len(figure.panels)]


def _draw_panel(panel: Panel, ax: Axes, theme: Theme, *, inner: tuple[bool, bool], small: bool) -> None:
    ax.set_facecolor(theme.ground)
    ax.spines[:].set_visible(False)
    ax.spines["bottom"].set(visible=True, color=theme.grid)
    ax.grid(visible=True, color=theme.grid, linewidth=0.7)
    ax.set_axisbelow(True)
    ax.tick_params(colors=theme.soft, labelsize=7.5 if small else 8.5, length=0)
    ax.tick_params(labelbottom=not inner[0])
    _scale(ax, "x", panel.x, small=small)
    _scale(ax, "y", panel.y, small=small)
    size = 8.5 if small else 9.5
    for words, label, hidden in (panel.x.label, ax.set_xlabel, inner[0]), (panel.y.label, ax.set_ylabel, inner[1]):
        if not hidden and words not in ("strategy", panel.title.lower()):
            label(words, size=size - 0.5, color=theme.soft, parse_math=False)
    if panel.title:
        ax.set_title(panel.title, size=size + 0.5, color=theme.ink, loc="left", parse_math=False)
    for order, series in enumerate(panel.series):
        _draw_series(series, ax, theme, zorder=2 + order / 100, small=small)


def _name_lines(figure: Figure, axes: Sequence[Axes], theme: Theme) -> None:
    """Short names at the ends of the lines, long ones in a legend below; small panels and rows have their names."""
    panels = [panel for panel in figure.panels if not panel.y.rows and not panel.group]
    lines = named_lines(panels)
    if any(len(line.name) > LONGEST for line in lines):
        legend_below(axes[-1], lines, theme)
        return
    for panel, ax in zip(figure.panels, axes, strict=True):
        if panel in panels:
            place_labels(ax, panel, theme)


def _draw_series(series: Series, ax: Axes, theme: Theme, *, zorder: float, small: bool) -> None:
    colour = theme.faint if series.faint else palette.colour(series.colour, theme)
    match series.kind:
        case Kind.LINE:
            width = 1.6 if series.faint else 1.9 if isinstance(series.colour, int) else 1.2
            ax.plot(series.x, series.y, color=colour, lw=width, ls=STROKES[series.dash], zorder=zorder)
            if series.low is not None and series.high is not None and not series.quiet:
                ax.fill_between(series.x, series.low, series.high, color=colour, alpha=0.14, lw=0, zorder=zorder - 1)
        case Kind.POINTS:
            _draw_points(series, ax, colour, theme, zorder)
        case Kind.INTERVALS:
            low, high = (series.x if end is None else end for end in (series.low, series.high))
            ax.hlines(series.y, low, high, color=colour, lw=2.4, zorder=zorder)
            ax.plot(series.x, series.y, "o", color=colour, ms=6.5, mec=theme.ground, mew=1.2, zorder=zorder + 0.001)
        case Kind.REGION:
            ax.axvspan(*series.x, color=theme.region, lw=0, zorder=0.5)
        case Kind.VLINE:
            style: dict[str, Any] = {"lw": 1.0, "ls": (0, (3, 2))} if small else {"lw": 1.2, "ls": "solid"}
            style |= {} if series.dash is Dash.SOLID else {"ls": STROKES[series.dash]}
            style["color"] = colour if series.group else theme.soft
            for number, x in enumerate(series.x):
                ax.axvline(x, zorder=0.9, **style)
                if number < len(series.labels):
                    _write_beside(series.labels[number], x, ax, style["color"], left=series.mark is Mark.BEFORE)


def _write_beside(words: str, x: float, ax: Axes, colour: str, *, left: bool) -> None:
    """The label of a vertical line: on the left at its top, or on the right at its foot."""
    place: dict[str, Any] = {"xytext": (-3, -3), "ha": "right", "va": "top"}
    if not left:
        place = {"xytext": (3, 3), "ha": "left", "va": "bottom"}
    ax.annotate(
        words, (x, 1.0 if left else 0.0), xycoords=ax.get_xaxis_transform(), textcoords="offset points", size=8,
        color=colour, parse_math=False, **place,
    )  # fmt: skip


def _draw_points(series: Series, ax: Axes, colour: str, theme: Theme, zorder: float) -> None:
    hollow = series.mark is Mark.RING
    low, high = sorted(ax.get_xlim())
    inside = (series.x >= low) & (series.x <= high)  # marks at the edge may stick out of the axes, others must not
    ax.plot(
        series.x[inside],
        series.y[inside],
        linestyle="none",
        marker=_MARKS[series.mark],
        ms=_SIZES[series.mark],
        mfc=theme.ground if hollow else colour,
        mec=colour if series.mark in (Mark.RING, Mark.TICK) else theme.ground,
        mew=2.2 if series.mark is Mark.TICK else 1.1 if hollow else 0.5,
        alpha=0.75 if series.mark is Mark.DOT else 1.0,
        zorder=zorder + 0.5,
        clip_on=False,
    )
    for x, y, words in zip(series.x, series.y, series.labels, strict=False):
        left = series.mark is Mark.BEFORE
        above: dict[str, Any] = {"xytext": (-3 if left else 3, 7.5), "textcoords": "offset points", "va": "center"}
        above["ha"] = "left" if left else "right"
        ax.annotate(words, (x, y), size=7.5, color=theme.ink, parse_math=False, **above)


def _scale(ax: Axes, which: str, axis: Axis, *, small: bool) -> None:
    """Ticks, range and numbers in the house's style."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

    one = ax.xaxis if which == "x" else ax.yaxis
    if axis.rows:
        one.set_major_locator(FixedLocator(list(range(len(axis.rows)))))
        one.set_ticklabels(axis.rows, parse_math=False)
        one.axes.set_ylim(len(axis.rows) - 0.5, -0.5)
        ax.grid(visible=False, axis="y")
        return
    if axis.scale == "log":
        (ax.set_xscale if which == "x" else ax.set_yscale)("log")
        few = which == "x" and small
        spread = np.log10(axis.range[1] / axis.range[0]) if axis.range else 3.0
        one.set_major_locator(
            LogLocator(subs=(1.0,) if few or spread > 2.5 else (1.0, 2.0, 5.0), numticks=5 if few else 8)
        )
        one.set_minor_locator(NullLocator())
        one.set_major_formatter(FuncFormatter(lambda value, _: rate(value)))
    else:
        one.set_major_locator(MaxNLocator(4 if small else 6, steps=[1, 2, 2.5, 5, 10]))
        one.set_major_formatter(FuncFormatter(lambda value, _: significant(value, 6).replace("-", MINUS)))
    if axis.range:
        (ax.set_xlim if which == "x" else ax.set_ylim)(*axis.range)


def _is_inner(figure: Figure, number: int) -> tuple[bool, bool]:
    """Whether a panel has a neighbour below, and one to the left, that carries the axis label for both."""
    if figure.columns < 3:
        return False, False
    return number + figure.columns < len(figure.panels), number % figure.columns > 0


def _share_rows(figure: Figure, columns: int) -> bool:
    return columns > 2 or all(bool(panel.y.rows) for panel in figure.panels)


def _wrapped(text: str, width: int) -> str:
    from textwrap import fill

    return fill(text, width)
