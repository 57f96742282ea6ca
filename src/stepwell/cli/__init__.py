"""The command line: one file per command, each a few lines around a library call."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from stepwell.errors import StepwellError


def main() -> None:
    """Run the command line. What Stepwell itself raises is one message and exit code 2."""
    try:
        app(prog_name="stepwell")
    except StepwellError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)


def _version(asked: bool) -> None:
    if asked:
        from stepwell import __version__

        typer.echo(__version__)
        raise typer.Exit


def _app() -> typer.Typer:
    """The application with every command on it."""
    from stepwell.cli import compare, explain, new, plot, recipes, runs

    application = typer.Typer(
        help="A learning-rate workbench for PyTorch.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @application.callback()
    def stepwell(
        version: Annotated[
            bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version.")
        ] = False,
    ) -> None:
        """A learning-rate workbench for PyTorch."""

    application.command("compare")(compare.compare)
    application.command("plot")(plot.plot)
    application.command("explain")(explain.explain)
    application.command("recipes")(recipes.recipes)
    application.add_typer(runs.app, name="runs")
    application.add_typer(new.app, name="new")
    return application


app = _app()
