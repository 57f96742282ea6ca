"""Recorded runs in the terminal: one line each, and everything about one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stepwell.record.facts import RunSummary
from stepwell.record.run import Ending, Run
from stepwell.view.method import SUBJECTS, settings_in_words
from stepwell.view.numbers import duration, in_ascii, rate, significant
from stepwell.view.sparkline import sparkline
from stepwell.view.words import readable

SPARK_WIDTH = 60
ENOUGH = 3  # values that make a curve
WIDEST, NARROWEST = 24, 4  # of a column in a terminal
TIMES = ("seconds", "train_seconds")


@dataclass(frozen=True, slots=True)
class _Column:
    """One fact of every run: its heading and texts, and when it gives way (0 never, then the highest first)."""

    heading: str
    cells: tuple[str, ...]
    gives_way: int = 0
    right: bool = False

    @property
    def width(self) -> int:
        """How wide it is in a terminal."""
        return min(WIDEST, max(cell_len(text) for text in (self.heading, *self.cells)))


def print_runs(runs: Sequence[RunSummary], console: Console, *, ids: Mapping[str, str]) -> None:
    """Print one line per run: the facts that fit the terminal, and above them what all have in common.

    Args:
        runs: at least one.
        console: a terminal.
        ids: what stands for the id of each run; see `stepwell.record.choose.short_ids`.
    """
    columns = [column for column in _columns(runs, ids) if any(column.cells)]
    shared = [column for column in columns if column.heading in _SHAREABLE and len(set(column.cells)) == 1]
    shown = _fitting([column for column in columns if column not in shared], console.width)
    ascii_only = console.options.ascii_only
    words = [f"{column.heading} {column.cells[0]}" for column in shared]
    counted = "1 run" if len(runs) == 1 else f"{len(runs)} runs"
    heading = f"{counted}: {', '.join(words)}" if words else counted
    console.print(Text(in_ascii(heading) if ascii_only else heading, style="dim"))
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    widths = _narrowed(shown, console.width)
    for column in shown:
        table.add_column(
            column.heading,
            justify="right" if column.right else "left",
            width=widths[column.heading],
            no_wrap=True,
            overflow="crop" if ascii_only else "ellipsis",
        )
    for row, run in enumerate(runs):
        texts = (column.cells[row] for column in shown)
        cells = (Text(in_ascii(text) if ascii_only else text) for text in texts)
        table.add_row(*cells, style=_STYLES.get(run.outcome.ending, ""))
    console.print(table)


def runs_text(runs: Sequence[RunSummary]) -> str:
    """Every fact of every run in columns as wide as they must be, for a file or a pipe."""
    columns = _columns(runs, {run.id: run.id for run in runs}, whole=True)
    widths = [max(cell_len(text) for text in (column.heading, *column.cells)) for column in columns]
    rows = zip(*((column.heading, *column.cells) for column in columns), strict=True)
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def run_table(run: Run, *, width: int | None = None) -> Table:
    """Everything about one run but its rows: how it ended, what it was, its figures and the shape of its curves.

    Args:
        run: any.
        width: of the terminal; None is wide enough.
    """
    table = Table.grid("", "", padding=(0, 2))
    longest = max(map(len, [*run.results, *run.columns, *run.evals]), default=0)
    room = SPARK_WIDTH if width is None else min(SPARK_WIDTH, max(8, width - longest - 28))  # two figures stand behind
    for label, value in _facts(run, room):
        table.add_row(Text(label), Text(value))
    return table


def score(run: RunSummary) -> tuple[str, float] | None:
    """The figure that a run is judged by, with its name; None where nothing was measured.

    That of the task's goal: on the test split where there is one, else on the validation split at the end. A run
    whose goal is not known, of a loop of one's own, shows the first figure that it was finished with.
    """
    goal = run.settings.get("goal")
    if isinstance(goal, list | tuple) and goal:
        found = str(goal[0])
        split = bool(run.settings.get("test_split"))
        name = f"test_{found.removeprefix('val_')}" if split else f"final_{found}"
        return (name.removeprefix("final_"), run.results[name]) if name in run.results else None
    return next(((name, value) for name, value in run.results.items() if name not in TIMES), None)


_SHAREABLE = ("task", "optimizer", "steps", "rate", "seed")
_STYLES = {Ending.DIVERGED: "red", Ending.FAILED: "red", Ending.NOT_LEARNING: "yellow", Ending.RUNNING: "cyan"}


def _columns(runs: Sequence[RunSummary], ids: Mapping[str, str], *, whole: bool = False) -> list[_Column]:
    def each(text: Callable[[RunSummary], object]) -> tuple[str, ...]:
        return tuple("" if (value := text(run)) is None else str(value) for run in runs)

    scores = [score(run) for run in runs]
    names = {found[0] for found in scores if found is not None}
    one = len(names) == 1 and not whole
    titles = {True: readable(next(iter(names), "")), False: "score"}
    figures = tuple("" if found is None else _score(*found, named=not one) for found in scores)
    columns = [
        _Column("id", each(lambda run: ids[run.id])),
        _Column("name", each(lambda run: run.name)),
        _Column("ending", each(lambda run: _ending(run, whole=whole))),
        _Column(titles[one], figures, right=one),
        _Column("rate", each(lambda run: None if run.base_lr is None else rate(run.base_lr)), 1, right=True),
        _Column("seed", each(lambda run: run.seed), 2, right=True),
        _Column("steps", each(lambda run: run.num_steps), 3, right=True),
        _Column("task", each(lambda run: run.task), 4),
        _Column("optimizer", each(lambda run: run.optimizer), 5),
        _Column("begun", each(lambda run: _moment(run.begun)), 6),
    ]
    return [*columns, _Column("schedule", each(lambda run: run.schedule))] if whole else columns


def _fitting(columns: list[_Column], width: int) -> list[_Column]:
    """As many columns as the terminal has room for."""
    shown = list(columns)
    while _width(shown) > width:
        last = max(shown, key=lambda column: column.gives_way)
        if not last.gives_way:
            break
        shown.remove(last)
    return shown


def _narrowed(columns: list[_Column], width: int) -> dict[str, int]:
    """How wide each column is where there may be too little room for them: an id is typed again, and stays whole."""
    beyond = max(0, _width(columns) - width)
    widths = {column.heading: column.width for column in columns}
    for column in columns:
        if column.heading in ("name", "ending"):
            widths[column.heading] = max(min(NARROWEST, column.width), column.width - beyond)
            beyond -= column.width - widths[column.heading]
    return widths


def _width(columns: list[_Column]) -> int:
    return sum(column.width + 1 for column in columns) - 1


def _score(name: str, value: float, *, named: bool) -> str:
    figure = significant(value, 4)
    return f"{readable(name)} {figure}" if named else figure


def _ending(run: RunSummary, *, whole: bool) -> str:
    if run.outcome.ending is not Ending.RUNNING:
        return run.outcome.ending
    if whole:  # it may have been killed: then the time stands still
        return f"running, last written {_moment(run.written)}"
    return f"running {duration(max(0.0, time.time() - run.written))} ago"


def _facts(run: Run, spark_width: int) -> Iterator[tuple[str, str]]:
    yield "id", run.id
    yield "name", run.name
    words, ending = run.outcome.words, run.outcome.ending
    yield "ending", words if words.startswith(ending) else f"{ending}: {words}" if words else ending
    facts: dict[str, Any] = {
        "steps": run.num_steps,
        "task": run.task,
        "optimizer": run.optimizer,
        "base rate": None if run.base_lr is None else rate(run.base_lr),
        "schedule": run.schedule,
        "total steps": None if run.horizon is None else run.horizon.total_steps,
        "seed": run.seed,
    }
    told = settings_in_words(run.settings, task=run.task, optimizer=run.optimizer)
    facts |= {subject.lower(): _alone(text) if subject in SUBJECTS else text for subject, text in told.items()}
    yield from ((label, str(value)) for label, value in facts.items() if value not in (None, ""))
    yield from ((name, _figure(value)) for name, value in run.results.items())
    for table in (run.columns, run.evals):
        for name, column in table.items():
            if name != "step" and column.size:
                yield name, _course(_measured(name, column), spark_width)


def _measured(name: str, column: NDArray[np.float64]) -> NDArray[np.float64]:
    """The values without the places where nothing was measured; `nan` up to the end is a value that was lost."""
    known = ~np.isnan(column)
    recovers = bool((known[1:] & ~known[:-1]).any())
    return column[known] if known.any() and (recovers or name == "grad_norm") else column


def _course(values: NDArray[np.float64], width: int) -> str:
    """How the values went: a curve with its ends, or where there are too few for one the ends alone."""
    ends = list(map(_figure, values.tolist()[:: max(1, values.size - 1)]))
    curve = [sparkline(values, width)] if values.size >= ENOUGH else []
    return "  ".join([*curve, " -> ".join(ends)])


def _alone(text: str) -> str:
    """One sentence in a line of its own has no full stop; of several each has."""
    return text if ". " in text else text.removesuffix(".")


def _figure(value: float) -> str:
    return f"{value:.6g}"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M:%S")
