"""`stepwell runs`: look at what the run store holds, take it out, or delete it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from stepwell.errors import OptionError, OutputError
from stepwell.record.document import dumps, number_to_json, run_to_json
from stepwell.record.export import write_csv, write_json
from stepwell.record.facts import RunSummary
from stepwell.record.run import Ending, Run
from stepwell.record.store import DEFAULT_STORE, Store
from stepwell.view.sparkline import sparkline

app = typer.Typer(help="List, show, export and delete recorded runs.", no_args_is_help=True)

StoreOption = Annotated[Path, typer.Option("--store", metavar="PATH", help="The run store.")]
Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids, or the first letters of them.")]
Json = Annotated[bool, typer.Option("--json", help="Print strict JSON.")]

SPARK_WIDTH = 60


class Format(StrEnum):
    """What `export` writes."""

    CSV = "csv"
    JSON = "json"


@app.command("list")
def list_runs(store: StoreOption = DEFAULT_STORE, json: Json = False) -> None:
    """List every run, the newest last."""
    with Store.open(store, read_only=True) as opened:
        summaries = opened.summaries()
    if json:
        typer.echo(dumps([_summary_document(summary) for summary in summaries]))
    elif summaries:
        console = Console(highlight=False)
        _print(_list_table(summaries, whole=not console.is_terminal), console)
    else:
        typer.echo(f"no runs in {store} yet")


@app.command("show")
def show_run(
    run_id: Annotated[str, typer.Argument(metavar="ID", help="The id, or its first letters.")],
    store: StoreOption = DEFAULT_STORE,
    json: Json = False,
) -> None:
    """Show one run: how it ended, what it was, its figures and curves."""
    with Store.open(store, read_only=True) as opened:
        run = opened.load(_chosen(opened, [run_id])[0])
    if json:
        typer.echo(dumps(run_to_json(run)))
    else:
        _print(_show_table(run), Console(highlight=False))


@app.command("export")
def export_runs(
    ids: Ids,
    form: Annotated[Format, typer.Option("--format", help="CSV holds the rows, JSON everything.")] = Format.CSV,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Instead of stdout.")] = None,
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Write runs as one CSV table or JSON document."""
    with Store.open(store, read_only=True) as opened:
        runs = [opened.load(run_id) for run_id in _chosen(opened, ids)]
    write = write_csv if form is Format.CSV else write_json
    if output is not None:
        _write_file(output, store, lambda stream: write(runs, stream))
        return
    try:
        write(runs, sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough; typer ends quietly
        raise
    except OSError as error:
        raise OutputError(f"cannot write to the standard output ({error}); give a file with -o FILE") from error


@app.command("delete")
def delete_runs(
    ids: Ids,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Delete runs for good, after asking."""
    with Store.open(store, create=False) as opened:
        chosen = _chosen(opened, ids)
        named = {summary.id: f"{summary.id} ({summary.name})" for summary in opened.summaries()}
        if not yes:
            typer.confirm(f"Delete {', '.join(named[run_id] for run_id in chosen)} for good?", abort=True)
        typer.echo(f"deleted {_counted(opened.delete(chosen))}")


def _chosen(store: Store, texts: list[str]) -> list[str]:
    """The full ids that the texts begin, each once."""
    summaries = store.summaries()
    chosen: dict[str, None] = {}
    for text in texts:
        matches = [summary for summary in summaries if summary.id == text]
        matches = matches or [summary for summary in summaries if summary.id.startswith(text)]
        if not matches:
            raise OptionError(f"no run {text!r} in {store.path}, which holds {_listed(summaries)}")
        if len(matches) > 1:
            raise OptionError(f"the id {text!r} could be {_listed(matches)}; type more of it")
        chosen[matches[0].id] = None
    return list(chosen)


def _listed(summaries: list[RunSummary], most: int = 8) -> str:
    newest = ", ".join(f"{summary.id} ({summary.name})" for summary in summaries[-most:])
    others = len(summaries) - most
    return f"{newest} and {others} older" if others > 0 else newest or "no runs"


def _list_table(summaries: list[RunSummary], *, whole: bool) -> Table:
    """Every fact of every run; for people, ids as long as they must be and no schedules, which `show` has."""
    titles = ["id", "name", "outcome", "steps", "task", "optimizer", "base lr", "seed", "begun", "schedule"]
    table = Table(*(titles if whole else titles[:-1]), box=None, pad_edge=False)
    length = None if whole else _telling_length(summaries)
    for summary in summaries:
        outcome: str = summary.outcome.ending
        if summary.outcome.ending is Ending.RUNNING:  # or killed: then the time stands still
            outcome = f"running, last written {_time(summary.written)}"
        cells = (
            summary.id[:length],
            summary.name,
            outcome,
            summary.num_steps,
            summary.task,
            summary.optimizer,
            _figure(summary.base_lr),
            summary.seed,
            _time(summary.begun),
            summary.schedule,
        )
        texts = ["" if cell is None else escape(str(cell)) for cell in cells]
        table.add_row(*texts[: len(table.columns)])
    return table


def _show_table(run: Run) -> Table:
    table = Table.grid("", "", padding=(0, 2))
    for label, value in _shown(run):
        table.add_row(escape(label), escape(value))
    return table


def _shown(run: Run) -> Iterator[tuple[str, str]]:
    yield "id", run.id
    yield "name", run.name
    yield "outcome", f"{run.outcome.ending}: {run.outcome.words}" if run.outcome.words else run.outcome.ending
    facts = {
        "steps": run.num_steps,
        "task": run.task,
        "optimizer": run.optimizer,
        "base lr": _figure(run.base_lr),
        "schedule": run.schedule,
        "total steps": None if run.horizon is None else run.horizon.total_steps,
        "seed": run.seed,
    }
    yield from ((label, str(value)) for label, value in facts.items() if value not in (None, ""))
    yield from ((name, _figure(value)) for name, value in run.results.items())
    yield from ((name, str(value)) for name, value in run.settings.items())
    for name in ("loss", "lr", "val_loss"):
        if name in run.columns or name in run.evals:
            values = run[name].tolist()
            if values:
                ends = f"{_figure(values[0])} -> {_figure(values[-1])}"
                yield name, f"{sparkline(values, SPARK_WIDTH)}  {ends}"


def _summary_document(summary: RunSummary) -> dict[str, Any]:
    return {
        "id": summary.id,
        "name": summary.name,
        "outcome": {
            "ending": summary.outcome.ending.value,
            "step": summary.outcome.step,
            "words": summary.outcome.words,
        },
        "num_steps": summary.num_steps,
        "task": summary.task,
        "optimizer": summary.optimizer,
        "schedule": summary.schedule,
        "base_lr": None if summary.base_lr is None else number_to_json(summary.base_lr),
        "seed": summary.seed,
        "results": {name: number_to_json(value) for name, value in summary.results.items()},
        "begun": summary.begun,
        "written": summary.written,
    }


def _print(table: Table, console: Console) -> None:
    """To a terminal as wide as it is; into a file or a pipe in full, one line per row."""
    if console.is_terminal:
        console.print(table)
        return
    console.width = 1_000_000  # no limit, and then no more than it needs, for every line is filled up
    console.width = console.measure(table).maximum
    with console.capture() as captured:
        console.print(table)
    typer.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def _telling_length(summaries: list[RunSummary], least: int = 8) -> int:
    """How many letters tell all ids apart."""
    longest = max(len(summary.id) for summary in summaries)
    for length in range(least, longest):
        if len({summary.id[:length] for summary in summaries}) == len(summaries):
            return length
    return longest


def _write_file(path: Path, store: Path, write: Callable[[TextIO], None]) -> None:
    """Write the whole file or none of it."""
    try:
        if path.exists() and path.samefile(store):
            raise OptionError(f"{path} is the run store itself; give another file with -o FILE")
        if path.exists() and not path.is_file():  # a pipe or a device: nothing to put in its place
            with path.open("w", encoding="utf-8", newline="") as stream:
                write(stream)
            return
        target = path.resolve()
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            with draft.open("x", encoding="utf-8", newline="") as stream:
                write(stream)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    except (OSError, UnicodeError) as error:
        raise OutputError(f"cannot write {path} ({error}); give another file with -o FILE") from error


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M:%S")


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _counted(count: int) -> str:
    return f"{count} run" if count == 1 else f"{count} runs"
