"""`stepwell runs`: look at what the run store holds, take it out, or delete it."""

from __future__ import annotations

import io
import shlex
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from stepwell.errors import OptionError, OutputError
from stepwell.record.choose import Filter, choose, read_ending, short_ids
from stepwell.record.columns import num_rows
from stepwell.record.document import dumps, number_to_json, run_to_json
from stepwell.record.export import write_csv, write_json
from stepwell.record.facts import RunSummary
from stepwell.record.run import Ending, Run
from stepwell.record.store import DEFAULT_STORE, Store
from stepwell.view.run_table import print_runs, run_table, runs_text
from stepwell.view.write import write_file

app = typer.Typer(help="List, show, export and delete recorded runs.", no_args_is_help=True)

StoreOption = Annotated[Path, typer.Option("--store", metavar="PATH", help="The run store.")]
Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids, or the first letters of them.")]
Json = Annotated[bool, typer.Option("--json", help="Print strict JSON.")]
Task = Annotated[str | None, typer.Option(metavar="NAME", help="Only of this task, or of tasks such as 'digits-*'.")]
Name = Annotated[
    str | None,
    typer.Option("--name", "--strategy", metavar="NAME", help="Only of this strategy, or of those such as 'warm*'."),
]
Ended = Annotated[
    str | None,
    typer.Option("--ending", metavar="ENDING", help=f"Only those that ended so: {', '.join(e.value for e in Ending)}."),
]


class Format(StrEnum):
    """What `export` writes."""

    CSV = "csv"
    JSON = "json"


@app.command("list")
def list_runs(
    task: Task = None,
    name: Name = None,
    ending: Ended = None,
    store: StoreOption = DEFAULT_STORE,
    json: Json = False,
) -> None:
    """List runs, the newest last: how each ended, its score on the task's goal, its rate and seed.

    A terminal shows the columns it has room for; a pipe or a file gets all of them.
    """
    wanted = Filter(task, name, None if ending is None else read_ending(ending))
    with Store.open(store, read_only=True) as opened:
        summaries = opened.summaries()
    chosen = [summary for summary in summaries if wanted.has(summary)]
    console = Console(highlight=False)
    if json:
        typer.echo(dumps([_summary_document(summary) for summary in chosen]))
    elif not summaries:
        typer.echo(f"no runs in {store} yet")
    elif not chosen:
        typer.echo(f"no run in {store} has {wanted.describe()}; {wanted.instead(summaries)}")
    elif console.is_terminal:
        print_runs(chosen, console, ids=short_ids([summary.id for summary in summaries]))
    else:
        typer.echo(runs_text(chosen))


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
        console = Console(highlight=False)
        _print(run_table(run, width=console.width if console.is_terminal else None), console)


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
        text = io.StringIO(newline="")
        write(runs, text)
        _write(output, store, text.getvalue(), runs)
        return
    try:
        write(runs, sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough; typer ends quietly
        raise
    except OSError as error:
        raise OutputError(
            f"cannot write to the standard output ({_reason(error)}); give a file with -o FILE"
        ) from error


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
        typer.echo(f"deleted {_counted(opened.delete(chosen), 'run')}")


def _chosen(store: Store, texts: Sequence[str]) -> list[str]:
    """The full ids that the texts begin, each once."""
    summaries = store.summaries()
    where = "stepwell runs list" if store.path == DEFAULT_STORE else f"stepwell runs list --store {_quoted(store.path)}"
    return list(dict.fromkeys(choose(summaries, text, where=where) for text in texts))


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


def _write(path: Path, store: Path, text: str, runs: Sequence[Run]) -> None:
    """Write the whole file or none of it, and say what went there."""
    rows = sum(num_rows(table) for run in runs for table in (run.columns, run.evals))
    wrote = f"wrote {_counted(len(runs), 'run')}, {_counted(rows, 'row')}, to {path}"
    try:
        if path.exists() and path.samefile(store):
            raise OptionError(f"{str(path)!r} is the run store itself; give another file with -o FILE")
        if not path.exists() or path.is_file() or path.is_dir():
            write_file(path, text)
            typer.echo(wrote)
            return
        # A pipe or a device: there is nothing to put in its place, and it may be the standard output itself.
        with path.open("w", encoding="utf-8", newline="") as stream:
            stream.write(text)
        typer.echo(wrote, err=True)
    except OSError as error:
        raise OutputError(f"cannot write {str(path)!r}: {_reason(error)}") from error


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
