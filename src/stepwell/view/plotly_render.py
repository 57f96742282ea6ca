"""Figures as plotly's own JSON: plain dictionaries, so that nothing has to be imported to make them."""

from __future__ import annotations

import html
import math
from typing import Any

import numpy as np

from stepwell.view import palette
from stepwell.view.figure import Array, Axis, Dash, Figure, Kind, Mark, Panel, Series
from stepwell.view.numbers import rate
from stepwell.view.palette import THEMES, Theme, ThemeName
from stepwell.view.ticks import nice_ticks

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
BAND = 0.16  # opacity
_DASHES = {Dash.SOLID: "solid", Dash.DASH: "6px,3px", Dash.DOT: "1.5px,2.5px"}
_MARKS = {
    Mark.DOT: "circle",
    Mark.TICK: "line-ns-open",
    Mark.CROSS: "x",
    Mark.RING: "circle-open",
    Mark.BEYOND: "triangle-right",
    Mark.BEFORE: "triangle-left",
}
_SIZES = {Mark.DOT: 7, Mark.TICK: 15, Mark.CROSS: 8, Mark.RING: 7, Mark.BEYOND: 9, Mark.BEFORE: 9}


def plotly_figure(figure: Figure, *, theme: ThemeName = "light", bare: bool = False) -> dict[str, Any]:
    """The figure as plotly's JSON: strict, without nan; give it to `plotly.io` or to `Plotly.newPlot`.

    Args:
        figure: what to draw.
        theme: light or dark.
        bare: leave out the title, the titles of the panels and the legend, where a page has its own.
    """
    colours = THEMES[theme]
    columns = max(1, min(figure.columns, len(figure.panels)))
    rows = -(-len(figure.panels) // columns)
    layout = _layout(figure, colours, rows, bare=bare)
    data: list[dict[str, Any]] = []
    named: set[str] = set()
    for number, panel in enumerate(figure.panels):
        tag = "" if number == 0 else str(number + 1)
        across, down = _cell(number % columns, columns), _cell(rows - 1 - number // columns, rows)
        layout[f"xaxis{tag}"] = _axis(panel.x, colours, across, f"y{tag}", small=bool(panel.group))
        layout[f"yaxis{tag}"] = _axis(panel.y, colours, down, f"x{tag}", small=bool(panel.group))
        for series in panel.series:
            data += _traces(series, panel, tag, colours, named, legend=not bare)
            layout["shapes"] += _shapes(series, panel, tag, colours)
            layout["annotations"] += _names_beside(series, panel, tag, colours)
        if panel.title and not bare:
            layout["annotations"].append(_panel_title(panel, across, down, colours))
    return {"data": data, "layout": layout}


def _layout(figure: Figure, theme: Theme, rows: int, *, bare: bool) -> dict[str, Any]:
    own: dict[str, Any] = {"autosize": True, "uirevision": figure.key}  # what is zoomed stays so when it is redrawn
    if not bare:
        own |= {"height": round(100 * figure.height * rows) + 80}
        own |= {"title": {"text": _plain(figure.title), "x": 0.01, "font": {"size": 18, "color": theme.ink}}}
    return {
        **own,
        "paper_bgcolor": theme.ground,
        "plot_bgcolor": theme.ground,
        "font": {"family": FONT, "color": theme.soft, "size": 12},
        "margin": {"l": 52, "r": 14, "t": 10 if bare else 60, "b": 42},
        "showlegend": not bare,
        "legend": {"font": {"color": theme.ink}, "groupclick": "togglegroup"},
        "hovermode": "closest",
        "hoverlabel": {
            "bgcolor": theme.ground, "bordercolor": theme.muted, "font": {"family": FONT, "color": theme.ink},
            "align": "left",
        },
        "shapes": [],
        "annotations": [],
    }  # fmt: skip


def _axis(axis: Axis, theme: Theme, domain: tuple[float, float], anchor: str, *, small: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "domain": domain,
        "anchor": anchor,
        "gridcolor": theme.grid,
        "linecolor": theme.grid,
        "zeroline": False,
        "automargin": True,
        "title": {"text": _plain(axis.label), "standoff": 8, "font": {"color": theme.soft, "size": 12}},
        "tickformat": "~g",
        "exponentformat": "e",
    }
    if axis.rows:
        found |= {
            "tickmode": "array",
            "tickvals": list(range(len(axis.rows))),
            "ticktext": [_plain(row) for row in axis.rows],
            "range": [len(axis.rows) - 0.5, -0.5],
            "showgrid": False,
            "fixedrange": True,
            "title": {"text": ""},
        }
        return found
    if axis.scale == "log":
        decades = math.log10(axis.range[1] / axis.range[0]) if axis.range else 3.0
        found |= {"type": "log", "dtick": 1, "minexponent": 4}
        del found["tickformat"]  # it writes 1e-6 as 0.000001
        ticks = nice_ticks(axis, 4)
        if ticks and (small or decades <= 1.7):  # between decades plotly would print 2 and 5 where 0.2 and 0.5 are
            found |= {"tickmode": "array", "tickvals": ticks, "ticktext": [rate(tick) for tick in ticks]}
    if axis.range:
        found["range"] = [math.log10(end) if axis.scale == "log" else end for end in axis.range]
    return found


def _traces(
    series: Series, panel: Panel, tag: str, theme: Theme, named: set[str], *, legend: bool
) -> list[dict[str, Any]]:
    if series.kind in (Kind.REGION, Kind.VLINE):
        return []
    colour = theme.faint if series.faint else palette.colour(series.colour, theme)
    group = series.group or series.name
    trace: dict[str, Any] = {
        "type": "scatter",
        "name": _plain(group),
        "x": numbers(series.x),
        "y": numbers(series.y),
        "xaxis": f"x{tag}",
        "yaxis": f"y{tag}",
        "legendgroup": group,
        "showlegend": legend and group not in named and series.kind is Kind.LINE and not series.faint,
        "meta": {"group": series.group, "muted": series.colour is None, "kind": series.kind.value},
    }
    if trace["showlegend"]:
        named.add(group)
    if series.notes:
        trace |= {"hovertext": [_plain(note) for note in series.notes], "hovertemplate": _hover("%{hovertext}")}
    else:
        trace["hovertemplate"] = _hover(f"{_plain(panel.x.label)} %{{x:.4~g}}", f"{_plain(panel.y.label)} %{{y:.4~g}}")
    if series.kind is Kind.LINE:
        width = 2 if series.faint else 2.4 if isinstance(series.colour, int) else 1.4
        trace |= {
            "mode": "lines",
            "line": {"color": colour, "width": width, "dash": _DASHES[series.dash], "simplify": False},
        }
        if series.faint:
            trace |= {"hoverinfo": "skip", "hovertemplate": None}
        return [*_bands(series, trace, colour), trace]
    return [trace | _marked(series, colour, theme)]


def _marked(series: Series, colour: str, theme: Theme) -> dict[str, Any]:
    """What makes a trace points or intervals."""
    found: dict[str, Any] = {
        "mode": "markers+text" if series.labels else "markers",
        "marker": {"color": colour, "symbol": _MARKS[series.mark], "size": _SIZES[series.mark], "line": {"width": 0}},
    }
    if series.mark is Mark.DOT:
        found["marker"] |= {"line": {"color": theme.ground, "width": 1}}
    elif series.mark in (Mark.TICK, Mark.RING):
        found["marker"] |= {"line": {"color": colour, "width": 3 if series.mark is Mark.TICK else 1.5}}
    if series.labels:
        side = "right" if series.mark is Mark.BEFORE else "left"
        found |= {"text": [_plain(label) for label in series.labels], "textposition": f"top {side}"}
        found |= {"textfont": {"color": theme.ink, "size": 11}, "cliponaxis": False}
    if series.kind is Kind.INTERVALS and series.low is not None and series.high is not None:
        found["marker"] |= {"size": 10}
        found["error_x"] = {
            "type": "data", "symmetric": False, "array": numbers(series.high - series.x),
            "arrayminus": numbers(series.x - series.low), "color": colour, "thickness": 3, "width": 0,
        }  # fmt: skip
    return found


def _bands(series: Series, line: dict[str, Any], colour: str) -> list[dict[str, Any]]:
    """The band around a line as closed shapes, one per stretch without a gap."""
    if series.low is None or series.high is None:
        return []
    known = np.isfinite(series.low) & np.isfinite(series.high)
    x: list[float | None] = []
    y: list[float | None] = []
    for part in np.split(np.flatnonzero(known), np.flatnonzero(np.diff(np.flatnonzero(known)) > 1) + 1):
        if part.size:
            x += [*numbers(series.x[part]), *numbers(series.x[part[::-1]]), None]
            y += [*numbers(series.low[part]), *numbers(series.high[part[::-1]]), None]
    kept = {key: line[key] for key in ("type", "name", "xaxis", "yaxis", "legendgroup")}
    return [
        kept | {
            "x": x, "y": y, "mode": "lines", "fill": "toself", "fillcolor": palette.translucent(colour, BAND),
            "line": {"width": 0, "color": colour}, "hoverinfo": "skip", "showlegend": False,
            "visible": not series.quiet,
            "meta": line["meta"] | {"kind": "band"},
        }
    ]  # fmt: skip


def _shapes(series: Series, panel: Panel, tag: str, theme: Theme) -> list[dict[str, Any]]:
    """Regions and vertical lines, from the bottom of the panel to its top."""
    place: dict[str, Any] = {"xref": f"x{tag}", "yref": f"y{tag} domain", "y0": 0, "y1": 1, "layer": "below"}
    if series.kind is Kind.REGION:
        low, high = numbers(series.x)
        return [place | {"type": "rect", "fillcolor": theme.region, "line": {"width": 0}, "x0": low, "x1": high}]
    if series.kind is not Kind.VLINE:
        return []
    ends = (-0.5, len(panel.y.rows) - 0.5) if panel.y.rows else panel.y.range
    if ends:  # above the grid but under the data; plotly.js draws this layer only without `domain`
        place |= {"yref": f"y{tag}", "y0": ends[0], "y1": ends[1], "layer": "between"}
    stroke = _DASHES[series.dash] if series.dash is not Dash.SOLID else "4px,3px" if series.group else "solid"
    line = {"color": _line_colour(series, theme), "width": 1.2, "dash": stroke}
    return [place | {"type": "line", "x0": x, "x1": x, "line": line} for x in numbers(series.x)]


def _line_colour(series: Series, theme: Theme) -> str:
    return palette.colour(series.colour, theme) if series.group else theme.soft


def _names_beside(series: Series, panel: Panel, tag: str, theme: Theme) -> list[dict[str, Any]]:
    """The labels of vertical lines: on the left at the top, or on the right at the foot."""
    if series.kind is not Kind.VLINE:
        return []
    left = series.mark is Mark.BEFORE
    return [
        {
            "text": _plain(words), "showarrow": False, "xref": f"x{tag}", "yref": f"y{tag} domain", "y": float(left),
            "x": math.log10(x) if panel.x.scale == "log" else x, "xanchor": "right" if left else "left",
            "yanchor": "top" if left else "bottom",
            "font": {"color": _line_colour(series, theme), "size": 11},
        }
        for x, words in zip(series.x.tolist(), series.labels, strict=False)
    ]  # fmt: skip


def _panel_title(panel: Panel, across: tuple[float, float], down: tuple[float, float], theme: Theme) -> dict[str, Any]:
    return {
        "text": _plain(panel.title), "showarrow": False, "xref": "paper", "yref": "paper", "x": across[0],
        "y": down[1], "xanchor": "left", "yanchor": "bottom", "font": {"color": theme.ink, "size": 13},
    }  # fmt: skip


def numbers(values: Array) -> list[float | None]:
    """Seven significant digits, and None for what is not finite: JSON has no nan."""
    return [float(f"{value:.7g}") if math.isfinite(value) else None for value in values.tolist()]


def in_the_dark() -> dict[str, str]:
    """For every colour of the light theme the one that takes its place in the dark theme."""
    light, dark = THEMES["light"], THEMES["dark"]
    pairs = dict(zip(light.colours + light.shades, dark.colours + dark.shades, strict=True))
    names = ("ground", "ink", "soft", "grid", "muted", "faint", "region", "warning")
    pairs |= {getattr(light, name): getattr(dark, name) for name in names}
    bands = {palette.translucent(a, BAND): palette.translucent(b, BAND) for a, b in pairs.items()}
    return pairs | bands


def _plain(text: str) -> str:
    """The text so that plotly shows it as it is: no tags, and no formulas, which it sees in dollar signs."""
    return html.escape(text, quote=False).replace("$", "&#36;")


def _cell(number: int, count: int) -> tuple[float, float]:
    """The share of the width or height that a panel has, with room between panels."""
    gap = 0.0 if count == 1 else 0.3 / count
    size = (1 - gap * (count - 1)) / count
    start = number * (size + gap)
    return round(start, 6), round(min(1.0, start + size), 6)


def _hover(*lines: str) -> str:
    return "<br>".join(("<b>%{fullData.name}</b>", *lines)) + "<extra></extra>"
