"""`stepwell recipes`: the schedules that have a name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stepwell.errors import OptionError
from stepwell.schedule import RECIPES, Horizon, Recipe, schedule
from stepwell.schedule.recipes import call, shown
from stepwell.view.sparkline import sparkline

WIDTH = 12  # of a sparkline
UPDATES = 120  # of the run it shows


def recipes(
    pattern: Annotated[
        str,
        typer.Argument(
            metavar="[NAME]",
            help="A library (timm), or how a word of the name begins (restart); of a whole name it tells all.",
        ),
    ] = "",
) -> None:
    """List the schedules that have a name, with their shape, parameters, text and source."""
    console = Console(highlight=False)
    if pattern in RECIPES and console.is_terminal:
        console.print(_about(RECIPES[pattern]))
        return
    chosen = _chosen(pattern)
    if pattern in RECIPES:
        typer.echo(_about(RECIPES[pattern]).plain)
    elif console.is_terminal:
        console.print(_table(chosen))
    else:
        for recipe in chosen.values():
            typer.echo("\t".join((recipe.name, _shape(recipe), _parameters(recipe), recipe.text, recipe.source)))


def _chosen(pattern: str) -> Mapping[str, Recipe]:
    """The recipes of the library, or those with a word in their name that begins so."""
    wanted = _plain(pattern)
    libraries = list(dict.fromkeys(name.split(".")[0] for name in RECIPES if "." in name))
    begun = re.compile(rf"(^|[._]){re.escape(wanted)}" + (r"\." if wanted in libraries else ""))
    chosen = {name: recipe for name, recipe in RECIPES.items() if begun.search(_plain(name))}
    if not chosen:
        words = dict.fromkeys(word for name in RECIPES for word in (name, *re.split(r"[._-]", name)))
        close = get_close_matches(pattern.lower(), words, n=3)
        hint = f"did you mean {' or '.join(map(repr, close))}?" if close else "they are those of the house and of"
        raise OptionError(
            f"no recipe has a word in its name that begins with {pattern!r}; {hint}"
            + ("" if close else f" {', '.join(libraries)}")
        )
    return chosen


def _plain(name: str) -> str:
    return name.strip().lower().replace("-", "_")


def _table(chosen: Mapping[str, Recipe]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "shape", "text, parameters and source"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "shape")
    for recipe in chosen.values():
        about = Text(recipe.text)
        for line in filter(None, (_parameters(recipe), recipe.source)):
            about.append(f"\n{line}", style="dim")
        table.add_row(Text(recipe.name), _shape(recipe), about)
    return table


def _about(recipe: Recipe) -> Text:
    """What a recipe is, its parameters with what they take, its text and how to call it."""
    about = Text(f"{recipe.name}  {_shape(recipe)}\n{recipe.summary}\n", no_wrap=False)
    if recipe.notes:
        about.append(f"\n{recipe.notes}\n")
    kinds = call.kinds_of(recipe)
    if kinds:
        about.append("\nparameters\n")
    defaults = {name: "left out" if one is None else shown(one) for name, one in recipe.parameters.items()}
    widths = [max(map(len, column), default=0) for column in (kinds, defaults.values())]
    for name, default in defaults.items():
        about.append(f"  {name:<{widths[0]}}  {default:<{widths[1]}}  ")
        about.append(f"{kinds[name]}\n", style="dim")
    about.append(f"\ntext    {recipe.text}\nsource  {recipe.source}")
    return about


def _parameters(recipe: Recipe) -> str:
    return ", ".join(f"{name}={shown(value)}" for name, value in recipe.parameters.items())


def _shape(recipe: Recipe) -> str:
    curve = schedule(recipe.text).resolve(Horizon(UPDATES), momentum=0.9)
    return sparkline(curve(np.arange(UPDATES)), WIDTH)
