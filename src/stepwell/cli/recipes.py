"""`stepwell recipes`: the schedules that have a name."""

from __future__ import annotations

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from stepwell.schedule import RECIPES, Horizon, schedule
from stepwell.view.sparkline import sparkline


def recipes() -> None:
    """List the schedules that have a name, with their text, shape and source."""
    console = Console(highlight=False)
    if not console.is_terminal:
        for name, recipe in RECIPES.items():
            typer.echo(f"{name}\t{recipe.text}\t{recipe.source}")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "shape", "text", "source"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("name", "shape"))
    for name, recipe in RECIPES.items():
        curve = schedule(recipe.text).resolve(Horizon(120), momentum=0.9)
        table.add_row(name, sparkline(curve(np.arange(120)), 12), recipe.text, recipe.source)
    console.print(table)
