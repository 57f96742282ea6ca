"""The frame of every page: one HTML file that works offline and asks nothing of the network."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from stepwell.errors import MissingExtraError
from stepwell.view import palette
from stepwell.view.figure import Colour, Dash, Figure, Shade
from stepwell.view.palette import THEMES, Theme
from stepwell.view.plotly_render import in_the_dark, plotly_figure


@dataclass(frozen=True, slots=True)
class Page:
    """What fills the frame.

    Args:
        title: of the browser's tab; plain text.
        body: HTML, already escaped; the places for the plots come from `figure_html`.
        figures: those that the body has places for.
        best: the groups that stand out.
        links: anchors and words of the navigation.
    """

    title: str
    body: str
    figures: Sequence[Figure]
    best: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()


def page_html(page: Page) -> str:
    """The whole file.

    Raises:
        MissingExtraError: plotly, which brings the JavaScript for the charts, is not installed.
    """
    plotly, script = _plotly_js(), _asset("page.js")
    policy = (
        f"default-src 'none'; script-src {_source(plotly)} {_source(script)}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    navigation = "".join(f'<a href="#{anchor}">{escape(words)}</a>' for anchor, words in page.links)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(page.title)}</title>
<link rel="icon" href="data:,">
<style>
{_colours()}
{_asset("page.css")}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top"><strong>Stepwell</strong><nav aria-label="Sections">{navigation}</nav>
<button type="button" id="theme">Theme</button></header>
<main id="main">
<noscript><p>The charts need JavaScript; every number is in the tables too.</p></noscript>
{page.body}
</main>
<footer>Made by Stepwell. This file is complete: it loads nothing from the network.</footer>
<script type="application/json" id="figures">{_content(page)}</script>
<script type="text/plain" id="plotly">{_packed(plotly)}</script>
<script>{script}</script>
</body>
</html>
"""


def figure_html(figure: Figure) -> str:
    """The place of a figure: one box per panel, its caption, and a description for those who cannot see it."""
    layout = {1: "one", 2: "two"}.get(min(figure.columns, len(figure.panels)), "many")
    described = f"about-{figure.key}"
    panels = []
    for number, panel in enumerate(figure.panels):
        heading = f"<h3>{escape(panel.title)}</h3>" if panel.title else ""
        place = f'id="{plot_id(figure, number)}" style="height:{round(100 * figure.height)}px"'
        words = f'role="img" aria-label="{escape(panel.title or figure.title)}" aria-describedby="{described}"'
        panels.append(f'<div class="panel">{heading}<div class="plot" {place} {words}></div></div>')
    return (
        f'<figure><div class="panels {layout}">{"".join(panels)}</div>'
        f"<figcaption>{escape(figure.caption)}</figcaption>"
        f'<p class="unseen" id="{described}">{escape(figure.alt)}</p></figure>'
    )


def legend_html(strokes: Sequence[tuple[str, Colour, Dash]], *, best: bool = False) -> str:
    """A button per group that hides or shows it in every chart.

    Args:
        strokes: name, number of the colour and stroke of every group.
        best: add a button that shows only the groups that stand out.
    """
    buttons = "".join(
        f'<button type="button" data-hides="{escape(name)}" aria-pressed="true" title="{escape(name)}">'
        f"{swatch_html(colour, dash)}{escape(name)}</button>"
        for name, colour, dash in strokes
    )
    only = '<button type="button" class="word" data-show="best">only the best set</button>' if best else ""
    every = '<button type="button" class="word" data-show="all">all</button>'
    return f'<div class="legend" role="group" aria-label="Shown in the charts">{buttons}{every}{only}</div>'


def swatch_html(colour: Colour, dash: Dash) -> str:
    """The stroke of a group, as a small line."""
    return f'<span class="swatch {dash.value}" style="--c:{colour_variable(colour)}"></span>'


def colour_variable(colour: Colour) -> str:
    """The page's name for a colour of the palette."""
    light = THEMES["light"]
    match colour:
        case None:
            return "var(--muted)"
        case Shade():
            return f"var(--s{light.shades.index(palette.colour(colour, light))})"
    return f"var(--c{colour % len(light.colours)})"


def plot_id(figure: Figure, number: int) -> str:
    """The id of a panel's plot in the page."""
    return f"plot-{figure.key}-{number}"


def json_for_html(value: object) -> str:
    """Strict JSON that cannot end the script element it stands in."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _content(page: Page) -> str:
    plots: list[dict[str, Any]] = []
    for figure in page.figures:
        for number, panel in enumerate(figure.panels):
            single = replace(figure, panels=(panel,), columns=1)
            drawn = plotly_figure(single, bare=True)
            for axis, label in ("xaxis", panel.x.label), ("yaxis", panel.y.label):
                title = drawn["layout"][axis]["title"]
                if panel.title.lower() == label:  # the heading says it
                    title["text"] = ""
                elif panel.y.rows:  # long names leave little room below
                    title["text"] = title["text"].replace(" (", "<br>(")
                elif panel.group:
                    title |= {"standoff": 4, "font": title["font"] | {"size": 11}}
            if panel.group:
                drawn["layout"]["margin"] = {"l": 40, "r": 10, "t": 6, "b": 36}
            plots.append({"id": plot_id(figure, number), "group": panel.group, "figure": drawn})
    groups = list(dict.fromkeys(group for figure in page.figures for group in figure.groups))
    ink = THEMES["light"].ink
    return json_for_html({"plots": plots, "groups": groups, "best": list(page.best), "dark": in_the_dark(), "ink": ink})


def _colours() -> str:
    light, dark = _variables(THEMES["light"], paper="#f7f8f9"), _variables(THEMES["dark"], paper="#101318")
    return (
        f":root {{ color-scheme: light; {light} }}\n"
        f":root[data-theme=dark] {{ color-scheme: dark; {dark} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root:not([data-theme=light]) {{ color-scheme: dark; {dark} }} }}"
    )


def _variables(theme: Theme, *, paper: str) -> str:
    names = ("ground", "ink", "soft", "grid", "muted", "region", "warning")
    pairs = {name: getattr(theme, name) for name in names}
    pairs |= {f"c{number}": colour for number, colour in enumerate(theme.colours)}
    pairs |= {f"s{number}": colour for number, colour in enumerate(theme.shades)}
    pairs |= {"paper": paper, "line": theme.muted, "link": theme.colours[0]}
    return " ".join(f"--{name}: {value};" for name, value in pairs.items())


def _source(script: str) -> str:
    """How the content policy names an inline script: by the digest of its text."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def _plotly_js() -> str:
    """plotly.js as its wheel ships it (4.8 MB; there is no smaller bundle in it)."""
    try:
        from plotly.offline import get_plotlyjs
    except ImportError:
        raise MissingExtraError("plotly", "plot", "an interactive page") from None
    return str(get_plotlyjs()).replace("\r\n", "\n")


@cache
def _packed(script: str) -> str:
    """The script at 2/5 of its size; every browser since 2023 can unpack it."""
    return base64.b64encode(gzip.compress(script.encode(), mtime=0)).decode()


def _asset(name: str) -> str:
    return files("stepwell.view").joinpath("page", name).read_text(encoding="utf-8")
