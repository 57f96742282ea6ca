"""`stepwell compare`: train strategies side by side and say which may be best."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from stepwell.cli.around import notes, print_result, read_options, stopped, writable
from stepwell.record.store import DEFAULT_STORE
from stepwell.tasks.load import BUILTIN

if TYPE_CHECKING:
    from stepwell.compare.ledger import Status
    from stepwell.record.comparison import Comparison

STAGES = {
    "race": "racing rates with short schedules",
    "refine": "best rates again at full length",
    "judge": "judging on fresh seeds",
}
TASKS = f"{', '.join(BUILTIN)}; or path/to/file.py:function, or module:function."

Strings = list[str]


def compare(  # noqa: PLR0913 -- one parameter per option
    task: Annotated[str, typer.Argument(help=TASKS)] = "digits-cnn",
    strategy: Annotated[Strings | None, typer.Option(metavar="NAME=TEXT", help="Add a strategy. Repeatable.")] = None,
    only: Annotated[Strings | None, typer.Option(metavar="NAME,...", help="Compare only these. Repeatable.")] = None,
    seeds: Annotated[int, typer.Option(help="Judging seeds.")] = 8,
    budget: Annotated[str, typer.Option(metavar="LENGTH", help="Of a judged run: 20ep, or 600 updates.")] = "20ep",
    optimizer: Annotated[str, typer.Option(help="sgd, momentum, nesterov, adam, adamw or rmsprop.")] = "momentum",
    option: Annotated[Strings | None, typer.Option(metavar="NAME=VALUE", help="Of the optimizer. Repeatable.")] = None,
    lr: Annotated[
        str, typer.Option(metavar="auto|LIST", help="Rates to race, such as 0.01,0.1,1; one is not tuned.")
    ] = "auto",
    margin: Annotated[
        float, typer.Option(help="Differences of the test metric up to this are not called worse.")
    ] = 0.0,
    alpha: Annotated[float, typer.Option(help="Chance that any of several equal strategies is called worse.")] = 0.05,
    engine: Annotated[str, typer.Option(help="processes (one per core) or inline.")] = "processes",
    store: Annotated[
        Path, typer.Option(metavar="PATH", help="The run store; a comparison goes on from it.")
    ] = DEFAULT_STORE,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="For report.html and pictures.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as strict JSON instead of tables.")] = False,
) -> None:
    """Compare learning-rate strategies, each at its own best rate, and say which may be best.

    Stopped with Ctrl-C or killed, the same command goes on where it was and repeats nothing.
    """
    from stepwell.compare import compare as run

    store = store.absolute()  # a task may change the folder it runs in
    named = re.sub(r"[^\w.-]+", "-", f"{task}-{optimizer}").strip("-")
    folder = out.absolute() if out is not None else store.parent / named
    names = [name.strip() for names in only or () for name in names.split(",") if name.strip()]
    aside = Console(stderr=True, highlight=False)  # stdout has the result and nothing else
    try:
        with writable(folder), notes(aside), _progress(aside) as watch:
            comparison = run(
                task,
                strategy or (),
                only=names,
                optimizer=optimizer,
                options=read_options(option),
                budget=budget,
                lr=lr,
                seeds=seeds,
                alpha=alpha,
                margin=margin,
                engine=engine,
                store=store,
                watch=watch,
            )
    except KeyboardInterrupt:
        raise stopped("stopped; the same command goes on from here") from None
    _show(comparison, folder, json=json)


def _show(comparison: Comparison, folder: Path, *, json: bool) -> None:
    """Write the report and the pictures, then print the result: whatever becomes of stdout, the files are there."""
    from stepwell.record.document import dumps
    from stepwell.view.pictures import write_pictures
    from stepwell.view.report import write_report
    from stepwell.view.summary import comparison_json
    from stepwell.view.table import print_comparison

    report = write_report(comparison, folder / "report.html")
    write_pictures(comparison, folder)

    def show() -> None:
        if json:
            typer.echo(dumps(comparison_json(comparison)))
            return
        console = Console(highlight=False)
        print_comparison(comparison, console)
        console.print(f"\nreport: {report}", soft_wrap=True, markup=False)

    print_result(show, report)
    if json:
        typer.echo(f"report: {report}", err=True)


@contextmanager
def _progress(console: Console) -> Iterator[Callable[[Status], None]]:
    """A live bar with the time left; one line per stage where there is no terminal."""
    if not console.is_terminal:
        told: set[str] = set()

        def tell(status: Status) -> None:
            if status.stage not in told:
                told.add(status.stage)
                console.print(f"{STAGES[status.stage]} ...", soft_wrap=True)

        yield tell
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("elapsed"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        shown = bar.add_task("loading torch and the task", total=None)

        def move(status: Status) -> None:
            bar.update(shown, description=STAGES[status.stage], total=status.planned_steps, completed=status.done_steps)

        yield move
