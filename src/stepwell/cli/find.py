"""`stepwell find`: measure a learning rate for a task, with an interval and a verdict."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from stepwell.cli.around import notes, print_result, read_options, stopped, writable
from stepwell.cli.compare import TASKS

if TYPE_CHECKING:
    from stepwell.find.conduct import Progress as Status
    from stepwell.record.suggestion import LrSuggestion

Strings = list[str]


class Metric(StrEnum):
    """What rates are ranked by."""

    LOSS = "loss"
    VAL = "val"


class Method(StrEnum):
    """How a rate is found."""

    RACE = "race"
    RANGE = "range"


def find(  # noqa: PLR0913 -- one parameter per option
    task: Annotated[str, typer.Argument(help=TASKS)] = "digits-cnn",
    optimizer: Annotated[str, typer.Option(help="sgd, momentum, nesterov, adam, adamw or rmsprop.")] = "momentum",
    option: Annotated[Strings | None, typer.Option(metavar="NAME=VALUE", help="Of the optimizer. Repeatable.")] = None,
    schedule: Annotated[str, typer.Option(metavar="TEXT", help="That the rate is for; a recipe or a text.")] = "hold",
    length: Annotated[
        str | None, typer.Option(metavar="LENGTH", help="Of the run that the rate is for: 20ep, or 600 updates.")
    ] = None,
    budget: Annotated[int, typer.Option(help="Most updates and scored batches that the search may take.")] = 600,
    metric: Annotated[Metric, typer.Option(help="Rank rates by the training or the validation loss.")] = Metric.LOSS,
    low: Annotated[float | None, typer.Option(help="No rate below this.", show_default=False)] = None,
    high: Annotated[float | None, typer.Option(help="No rate above this.", show_default=False)] = None,
    seed: Annotated[int, typer.Option(help="The first seed.")] = 0,
    method: Annotated[
        Method, typer.Option(help="Real short runs, or the classical range test, which misleads more easily.")
    ] = Method.RACE,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="For report.html and pictures.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as strict JSON instead of tables.")] = False,
) -> None:
    """Measure a learning rate: real short runs, and an answer with its interval and its evidence."""
    from stepwell.find.search import find_lr

    folder = None if out is None else out.absolute()  # a task may change the folder it runs in
    aside = Console(stderr=True, highlight=False)  # stdout has the result and nothing else
    try:
        with writable(folder) if folder else nullcontext(), notes(aside), _progress(aside, budget) as watch:
            found = find_lr(
                task,
                optimizer,
                options=read_options(option),
                schedule=schedule,
                total_steps=_steps(task, length),
                budget=budget,
                metric=metric.value,
                seed=seed,
                low=low,
                high=high,
                method=method.value,
                watch=watch,
            )
    except KeyboardInterrupt:
        raise stopped("stopped; nothing was kept, and nothing is left behind") from None
    _show(_within_limits(found, low, high), folder, json=json)


def _steps(task: str, length: str | None) -> int | None:
    """The updates that a length stands for on a task.

    Raises:
        OptionError: no length in epochs or updates, or not a whole number of updates.
    """
    if length is None:
        return None
    from stepwell.errors import OptionError
    from stepwell.schedule.length import Horizon, Unit
    from stepwell.schedule.text import parse_length
    from stepwell.tasks.load import load_task
    from stepwell.tasks.preflight import preflight

    parsed = parse_length(length)
    if parsed.unit not in (Unit.EPOCHS, Unit.STEPS):
        raise OptionError(f"--length is in epochs (20ep) or updates (600), got {length!r}")
    per_epoch = preflight(load_task(task), 0).steps_per_epoch if parsed.unit is Unit.EPOCHS else None
    steps = parsed.in_steps(Horizon(steps_per_epoch=per_epoch))
    if steps.denominator != 1 or steps < 1:
        raise OptionError(f"--length {length} is {float(steps):g} updates; it must be a whole number of at least 1")
    return int(steps)


def _within_limits(found: LrSuggestion, low: float | None, high: float | None) -> LrSuggestion:
    """The same; where nothing was learned, its words name the limits that were typed, which may be why."""
    from stepwell.record.suggestion import Verdict
    from stepwell.view.numbers import rate

    begins = found.sweep is not None and found.sweep.losses[:1].size > 0 and math.isfinite(found.sweep.losses[0])
    if found.verdict is not Verdict.NO_SIGNAL or not begins:  # a loss that is nan from the start is so at every rate
        return found
    match low, high:
        case float(), float():
            allowed, them = f"{rate(low)} (--low) to {rate(high)} (--high)", "the limits"
        case float(), _:
            allowed, them = f"{rate(low)} (--low) up", "the limit"
        case _, float():
            allowed, them = f"low ones to {rate(high)} (--high)", "the limit"
        case _:
            return found
    return replace(found, words=f"Only rates from {allowed} were allowed: widen {them}. {found.words}")


def _show(found: LrSuggestion, folder: Path | None, *, json: bool) -> None:
    """Write the report and the pictures, then print the result: whatever becomes of stdout, the files are there."""
    from stepwell.record.document import dumps
    from stepwell.view.pictures import write_suggestion_pictures
    from stepwell.view.suggestion_json import suggestion_json
    from stepwell.view.suggestion_page import write_suggestion
    from stepwell.view.suggestion_table import print_suggestion

    report = None if folder is None else write_suggestion(found, folder / "report.html")
    if folder is not None:
        write_suggestion_pictures(found, folder)

    def show() -> None:
        if json:
            typer.echo(dumps(suggestion_json(found)))
            return
        console = Console(highlight=False)
        print_suggestion(found, console)
        if report:
            console.print(f"\nreport: {report}", soft_wrap=True, markup=False)

    print_result(show, report)
    if json and report:
        typer.echo(f"report: {report}", err=True)


@contextmanager
def _progress(console: Console, budget: int) -> Iterator[Callable[[Status], None]]:
    """A live bar of what was spent; where there is no terminal one line, once the input has been checked."""
    if not console.is_terminal:
        told: list[Status] = []

        def tell(status: Status) -> None:
            if not told:
                console.print(f"searching for a rate, within {budget} steps ...", soft_wrap=True)
            told.append(status)

        yield tell
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        shown = bar.add_task("loading torch and the task", total=budget)

        def move(status: Status) -> None:
            bar.update(shown, description=status.words, total=status.budget, completed=status.spent)

        yield move
