"""Colours that keep apart for every kind of colour vision, on light and on dark ground.

The hues were searched for the largest smallest distance (OKLab) under normal vision, deuteranopia and protanopia,
with a contrast of at least 3:1 to the ground; a test holds both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from stepwell.view.figure import Colour, Dash, Shade

ThemeName: TypeAlias = Literal["light", "dark"]


@dataclass(frozen=True, slots=True)
class Theme:
    """Every colour of a picture or a page."""

    colours: tuple[str, ...]
    shades: tuple[str, ...]  # a ramp: violet is low, orange is high
    ground: str
    ink: str
    soft: str  # axis labels, captions
    grid: str
    muted: str  # series that are context
    faint: str
    region: str
    warning: str


THEMES: dict[ThemeName, Theme] = {
    "light": Theme(
        colours=("#0279ad", "#e96a14", "#7b2b63", "#39a681", "#3b39b2", "#8a89f6", "#6d5a08"),
        shades=("#0d0887", "#370499", "#5801a4", "#7701a8", "#9410a2", "#ad2793", "#c33d80", "#d5536f", "#e56a5d"),
        ground="#ffffff",
        ink="#1d232b",
        soft="#56606d",
        grid="#e6e9ed",
        muted="#8b94a0",
        faint="#d3d8de",
        region="#e4f1ea",
        warning="#b3261e",
    ),
    "dark": Theme(
        colours=("#5ca5ed", "#f99a2f", "#c25e95", "#4dc5a0", "#dae290", "#f0c2fa", "#9f7c25"),
        shades=("#b6308b", "#ca457a", "#da5a6a", "#e87059", "#f3874a", "#fba139", "#febb2b", "#fada24", "#f0f921"),
        ground="#171a20",
        ink="#e8ebef",
        soft="#a4adb9",
        grid="#2b313a",
        muted="#77818f",
        faint="#3b434e",
        region="#1d2f2b",
        warning="#ff8a80",
    ),
}
_DASHES = (Dash.SOLID, Dash.DASH, Dash.DOT)


def colour(wanted: Colour, theme: Theme) -> str:
    """The palette's colour of that number, going round; the nearest shade of a place; the muted one for None."""
    match wanted:
        case None:
            return theme.muted
        case Shade(place):
            return theme.shades[round(min(max(place, 0.0), 1.0) * (len(theme.shades) - 1))]
    return theme.colours[wanted % len(theme.colours)]


def dash(number: int) -> Dash:
    """The stroke of that number: it changes when the colours have gone round."""
    return _DASHES[number // len(THEMES["light"].colours) % len(_DASHES)]


def translucent(hex_colour: str, opacity: float) -> str:
    """The colour with an opacity, as CSS writes it."""
    red, green, blue = (int(hex_colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:g})"
