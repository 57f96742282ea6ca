"""`stepwell new`: write a first file to change."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from stepwell.tasks.new import new_task

app = typer.Typer(help="Write a first file of your own.", no_args_is_help=True)


@app.callback()
def new() -> None:
    """Write a first file of your own."""


@app.command("task")
def task(path: Annotated[Path, typer.Argument(metavar="PATH", help="The file to write, such as my_task.py.")]) -> None:
    """Write a commented task that runs as it is, to put your model and data into."""
    new_task(path)
    name = shlex.quote(f"{path}:task")
    typer.echo(f"wrote {path}; to find a learning rate for it, type: stepwell find {name}")
    typer.echo(f"to compare learning-rate strategies on it, type: stepwell compare {name}")
