"""The comparison in the terminal: the table, what it teaches, and what to use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from textwrap import fill
from typing import Literal

import numpy as np
from rich.cells import cell_len
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from stepwell.record.comparison import Comparison, StrategyResult
from stepwell.record.run import Ending
from stepwell.view import words
from stepwell.view.numbers import decimals_for, in_ascii, metric, rate
from stepwell.view.sparkline import sparkline
from stepwell.view.spread import spread

NAME, RUNS = 15, 11  # columns: longer names and endings go on in the next line


@dataclass(frozen=True, slots=True)
class _Column:
    """A column: heading, text for one strategy, what a footnote says, and when it gives way (0 never, then highest)."""

    heading: str
    cell: Callable[[StrategyResult], str]
    gives_way: int
    note: str = ""
    right: bool = False


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Print the answer, the table, the lessons and the recommendation; plain text where it is not a terminal."""
    ascii_only = console.options.ascii_only

    def say(text: str, style: str = "", *, as_it_is: bool = False) -> None:
        console.print(Text(in_ascii(text) if ascii_only else text, style=style), soft_wrap=as_it_is)

    say(f"\n{words.answer(comparison)}", "bold")
    say(f"{words.limits(comparison)}\n", "dim")
    console.print(comparison_table(comparison, width=console.width, ascii_only=ascii_only))
    shown = _fitting(_columns(comparison, ascii_only=ascii_only), comparison, console.width)
    say("; ".join(column.note for column in shown if column.note) + ".", "dim")
    for title, lines in ("What this comparison shows", comparison.lessons), ("What it cost", (words.cost(comparison),)):
        if lines:
            say(f"\n{title}", "bold")
            say("\n".join(_hanging(line, console.width) for line in lines), as_it_is=True)
    advice = comparison.recommendation
    say("\nRecommended", "bold")
    say(f"{advice.strategy} at {rate(advice.base_lr)}: {advice.schedule}", "green")
    say(f"{advice.reason}\n")
    if console.is_terminal and not ascii_only:
        console.print(Syntax(advice.code, "python", theme="ansi_dark", background_color="default", word_wrap=True))
    else:
        say(advice.code, as_it_is=True)


def comparison_table(comparison: Comparison, *, width: int = 100, ascii_only: bool = False) -> Table:
    """One row per strategy, best first, the illustrations last.

    Args:
        comparison: what to show.
        width: of the terminal; where it is too small for all columns the less important ones are left out.
        ascii_only: for terminals without block characters.
    """
    shown = _fitting(_columns(comparison, ascii_only=ascii_only), comparison, width)
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    for column in shown:
        side: Literal["left", "right"] = "right" if column.right else "left"
        table.add_column(Text(_heading(column)), justify=side, overflow="fold", width=_width(column, comparison))
    for result in comparison.results:
        cells = (in_ascii(column.cell(result)) if ascii_only else column.cell(result) for column in shown)
        table.add_row(*map(Text, cells), style=_row_style(result))
    return table


def _fitting(columns: list[_Column], comparison: Comparison, width: int) -> list[_Column]:
    """As many columns as the terminal has room for."""
    shown = list(columns)
    while sum(_width(column, comparison) + 1 for column in shown) - 1 > width:
        last = max(shown, key=lambda column: column.gives_way)
        if not last.gives_way:
            break
        shown.remove(last)
    return shown


def _width(column: _Column, comparison: Comparison) -> int:
    cells = [_heading(column), *(column.cell(result) for result in comparison.results)]
    widest = max(cell_len(line) for cell in cells for line in cell.split("\n"))
    return min(widest, {"strategy": NAME, "runs": RUNS}.get(column.heading, widest))


def _heading(column: _Column) -> str:
    return column.heading.replace(" ", "\n", 1)


def rate_sparkline(result: StrategyResult, width: int = 8, *, num_steps: int = 0, ascii_only: bool = False) -> str:
    """The rate of a strategy over the run in one line of text; shorter where the runs ended before `num_steps`."""
    rates = spread(result.runs, "lr").middle
    padded = np.append(rates, np.full(max(0, num_steps - rates.size), np.nan))
    return sparkline(padded, width, low=0.0, ascii_only=ascii_only).rstrip()


def _columns(comparison: Comparison, *, ascii_only: bool) -> list[_Column]:
    ranks = {id(result): str(place) for place, result in enumerate(comparison.ranked, start=1)}
    decimals, what = decimals_for(comparison.resolution), words.readable(comparison.metric)
    steps = comparison.budget.total_steps or 0
    plus_minus = "+-" if ascii_only else "±"
    target = f"{words.readable(words.goal_of(comparison))} of {metric(comparison.target, decimals)}"
    level = f"{1 - comparison.alpha:.0%}"
    return [
        _Column("", lambda result: ranks.get(id(result), ""), 0, right=True),
        _Column("strategy", lambda result: _broken(result.strategy.name), 0),
        _Column("rate", lambda result: rate_sparkline(result, num_steps=steps, ascii_only=ascii_only), 2),
        _Column("best at", lambda result: rate(result.base_lr), 1, "best at: its best rate", right=True),
        _Column(what, lambda result: metric(result.mean, decimals), 0, f"{what}: mean over seeds", right=True),
        _Column(
            plus_minus,
            lambda result: words.interval(result, comparison).removeprefix("±"),
            4,
            f"{plus_minus}: {level} interval of the difference to {comparison.leader}",
        ),
        _Column("verdict", lambda result: words.verdict(result, comparison), 0),
        _Column("to target", words.to_target, 6, f"to target: median steps to a {target}", right=True),
        _Column("good", words.good_region, 5, "good: highest / lowest good rate", right=True),
        _Column("at twice", words.at_twice, 3, "at twice: at twice its best rate"),
        _Column("runs", lambda result: words.endings(result).replace(", ", ",\n"), 0),
    ]


def _broken(name: str) -> str:
    """A long name in two lines, at a hyphen or blank if there is one."""
    if cell_len(name) <= NAME:
        return name
    at = max(name.rfind(mark, 0, NAME) for mark in "- _")
    return name if at < 1 else f"{name[: at + 1]}\n{name[at + 1 :]}"


def _row_style(result: StrategyResult) -> str:
    if result.may_be_best:
        return "green"
    if result.count(Ending.DIVERGED):
        return "red"
    return "" if result.ranked else "dim"


def _hanging(line: str, width: int) -> str:
    return fill(line, width, initial_indent="\N{BULLET} ", subsequent_indent="  ", break_on_hyphens=False)
