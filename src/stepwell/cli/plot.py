"""`stepwell plot`: several schedules in one picture, in the terminal or as a file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from stepwell.errors import OptionError, OutputError, ScheduleError
from stepwell.schedule import Curve, Horizon, schedule

SUFFIXES = ("csv", "html", "pdf", "png", "svg")


def plot(
    texts: Annotated[
        list[str],
        typer.Argument(metavar="TEXT...", help='Schedules: recipes or texts such as "linear 0..1 for 5% | hold".'),
    ],
    total_steps: Annotated[int | None, typer.Option(help="Updates in the run.", show_default=False)] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs in the run.", show_default=False)] = None,
    steps_per_epoch: Annotated[int | None, typer.Option(help="Updates per epoch.", show_default=False)] = None,
    tokens_per_step: Annotated[float | None, typer.Option(help="Tokens per update.", show_default=False)] = None,
    base_lr: Annotated[float | None, typer.Option(help="Show rates instead of factors.", show_default=False)] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help=f"A file: {', '.join(SUFFIXES)}.")
    ] = None,
) -> None:
    """Draw schedules: in the terminal, or with -o as a picture, a table or an interactive page."""
    suffix = None if output is None else _suffix(output)
    if base_lr is not None and not 0 < base_lr < float("inf"):
        raise OptionError(f"--base-lr must be a positive number, got {base_lr}")
    horizon = _horizon(total_steps, epochs, steps_per_epoch, tokens_per_step)
    curves = [(text, _curve(text, horizon, base_lr)) for text in dict.fromkeys(texts)]
    steps = max((curve.total_steps or 0 for _, curve in curves), default=0) or None
    if output is None:
        _show(curves, base_lr, steps)
        _warn(curves)
        return
    from stepwell.view.write import write_file

    write_file(output, _content(suffix or "", curves, base_lr, steps))
    typer.echo(f"wrote {output}")
    _warn(curves)


def _content(suffix: str, curves: list[tuple[str, Curve]], base_lr: float | None, steps: int | None) -> bytes | str:
    """What the file holds; heavy packages are imported only for the kind that needs them."""
    from stepwell.view.curve_table import curves_csv, curves_page
    from stepwell.view.figures.curves import figure_of_curves

    if suffix == "csv":
        return curves_csv(curves, base_lr=base_lr, steps=steps)
    figure = figure_of_curves(curves, base_lr=base_lr, steps=steps)
    if suffix == "html":
        return curves_page(figure)
    from stepwell.view.matplotlib_render import picture

    return picture(figure, suffix)


def _show(curves: list[tuple[str, Curve]], base_lr: float | None, steps: int | None) -> None:
    from rich.console import Console

    from stepwell.view.figures.curves import figure_of_curves
    from stepwell.view.terminal import print_figure

    print_figure(figure_of_curves(curves, base_lr=base_lr, steps=steps), Console(highlight=False))


def _warn(curves: list[tuple[str, Curve]]) -> None:
    """What is probably not meant, on the error stream, so that nothing else is touched."""
    for text, curve in curves:
        for finding in curve.preflight():
            typer.echo(f"{text}\n  {finding}" if len(curves) > 1 else str(finding), err=True)


def _suffix(output: Path) -> str:
    suffix = output.suffix.lower().removeprefix(".")
    if suffix not in SUFFIXES:
        raise OutputError(f"cannot tell what to write into {str(output)!r}: its name must end in {_listed()}")
    return suffix


def _listed() -> str:
    names = [f".{suffix}" for suffix in SUFFIXES]
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _horizon(
    total_steps: int | None, epochs: int | None, steps_per_epoch: int | None, tokens_per_step: float | None
) -> Horizon:
    if epochs is None:
        return Horizon(total_steps, steps_per_epoch, tokens_per_step)
    if total_steps is not None:
        raise OptionError(f"pass --total-steps or --epochs, not both; got {total_steps} and {epochs}")
    if steps_per_epoch is None:
        raise OptionError(f"--epochs {epochs} needs the updates per epoch: pass --steps-per-epoch")
    return Horizon.epochs(epochs, steps_per_epoch=steps_per_epoch, tokens_per_step=tokens_per_step)


def _curve(text: str, horizon: Horizon, base_lr: float | None) -> Curve:
    """The schedule laid over the run; what the library asks for as an argument is asked for as an option."""
    parsed = schedule(text)
    # Entries such as momentum stand on 1, so that an absolute value (`=0.95`) is shown as it is written.
    bases = {entry.name: 1.0 for entry in parsed.entries if entry.name != "lr"}
    if base_lr is not None:
        bases["base_lr"] = base_lr
    try:
        return parsed.resolve(horizon, **bases)
    except ScheduleError as error:
        words = re.sub(r"\b(\w+)=\.\.\.", lambda found: f"--{found[1].replace('_', '-')}", str(error))
        raise type(error)(f"in {text!r}: {words}" if repr(text) not in words else words) from None
