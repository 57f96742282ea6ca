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
from stepwell.view import meanings, remarks, words
from stepwell.view.numbers import decimals_for, in_ascii, metric, rate
from stepwell.view.sparkline import sparkline
from stepwell.view.spread import spread

NAME, NARROW_NAME, RUNS = 21, 15, 11  # columns: longer names and endings go on in the next line
WIDE_ENOUGH = 76  # a terminal that has room for the usual columns with names of this length


@dataclass(frozen=True, slots=True)
class _Column:
    """A column: heading, a text per strategy, when it gives way (0 never, then the highest first), what to know.

    The note says what the heading means; the remark, a sentence, what may look wrong in these cells.
    """

    heading: str
    cells: tuple[str, ...]
    gives_way: int
    note: str = ""
    right: bool = False
    remark: str = ""


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Print the answer, the table, the lessons and the recommendation; plain text where it is not a terminal."""
    ascii_only = console.options.ascii_only

    def say(text: str, style: str = "", *, as_it_is: bool = False) -> None:
        console.print(Text(in_ascii(text) if ascii_only else text, style=style), soft_wrap=as_it_is)

    say(f"\n{words.answer(comparison)}", "bold")
    say(" ".join(filter(None, (words.limits(comparison), words.split_note(comparison)))) + "\n", "dim")
    longest = NAME if console.width >= WIDE_ENOUGH else NARROW_NAME
    shown = _fitting(_columns(comparison, longest, ascii_only=ascii_only), console.width)
    console.print(_table(shown, comparison, ascii_only=ascii_only))
    for remark in filter(None, (column.remark for column in shown)):
        say(f"\n{remark}")
    notes = [column.note for column in shown if column.note]
    notes += [
        f"{result.strategy.name}: your text, {result.strategy.schedule}; the built-in one is {built_in}"
        for result in comparison.results
        if (built_in := words.replaced(result.strategy))
    ]
    say("\n" + "\n".join(_hanging(note, console.width, mark="") for note in notes), "dim", as_it_is=True)
    for title, lines in ("What this comparison shows", comparison.lessons), ("What it cost", (words.cost(comparison),)):
        if lines:
            say(f"\n{title}", "bold")
            say("\n".join(_hanging(line, console.width) for line in lines), as_it_is=True)
    _print_advice(comparison, console, say)


def _print_advice(comparison: Comparison, console: Console, say: Callable[..., None]) -> None:
    advice = comparison.recommendation
    if not advice.strategy:
        say("\nNothing to recommend", "bold")
        say(advice.reason)
        return
    say("\nRecommended", "bold")
    say(f"{advice.strategy} at {rate(advice.base_lr)}: {advice.schedule}", "green")
    say(f"{advice.reason}\n")
    if console.is_terminal and not console.options.ascii_only:
        console.print(Syntax(advice.code, "python", theme="ansi_dark", background_color="default", word_wrap=True))
    else:
        say(advice.code, as_it_is=True)


def _table(shown: list[_Column], comparison: Comparison, *, ascii_only: bool) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    for column in shown:
        side: Literal["left", "right"] = "right" if column.right else "left"
        table.add_column(Text(column.heading), justify=side, overflow="fold", width=_width(column))
    for row, result in enumerate(comparison.results):
        cells = (in_ascii(column.cells[row]) if ascii_only else column.cells[row] for column in shown)
        table.add_row(*map(Text, cells), style=_row_style(result))
    return table


def _fitting(columns: list[_Column], width: int) -> list[_Column]:
    """As many columns as the terminal has room for."""
    shown = list(columns)
    while sum(_width(column) + 1 for column in shown) - 1 > width:
        last = max(shown, key=lambda column: column.gives_way)
        if not last.gives_way:
            break
        shown.remove(last)
    return shown


def _width(column: _Column) -> int:
    widest = max(cell_len(line) for cell in (column.heading, *column.cells) for line in cell.split("\n"))
    return min(widest, {"strategy": NAME, "runs": RUNS}.get(column.heading, widest))


def rate_sparkline(result: StrategyResult, width: int = 8, *, num_steps: int = 0, ascii_only: bool = False) -> str:
    """The rate of a strategy over the run in one line of text; shorter where the runs ended before `num_steps`."""
    rates = spread(result.runs, "lr").middle
    padded = np.append(rates, np.full(max(0, num_steps - rates.size), np.nan))
    return sparkline(padded, width, low=0.0, ascii_only=ascii_only).rstrip()


def _columns(comparison: Comparison, longest: int, *, ascii_only: bool) -> list[_Column]:
    decimals, what = decimals_for(comparison.resolution), words.readable(comparison.metric)
    steps, plus_minus = comparison.budget.total_steps or 0, "+-" if ascii_only else "±"

    def each(text: Callable[[StrategyResult], str]) -> tuple[str, ...]:
        return tuple(text(result) for result in comparison.results)

    def half(result: StrategyResult) -> str:
        return words.interval(result, comparison).removeprefix("±")

    def shape(result: StrategyResult) -> str:
        return rate_sparkline(result, num_steps=steps, ascii_only=ascii_only)

    ranks = tuple(str(place) if result.ranked else "" for place, result in enumerate(comparison.results, start=1))
    rates = each(lambda result: rate(result.base_lr))
    means = each(lambda result: metric(result.mean, decimals))
    verdicts = each(lambda result: words.verdict(result, comparison))
    said = meanings.verdict(comparison) if comparison.learned else ""
    gap_note = f"{plus_minus}: {1 - comparison.alpha:.0%} interval of the difference to {comparison.leader}"
    if untuned := words.tuning(comparison) == "none":
        base = _Column("rate", rates, 1, "rate: the one that was given", right=True)
    else:
        base = _Column("best\nrate", rates, 1, "best rate: chosen in runs at full length", right=True)
    return [
        _Column("", ranks, 0, right=True),
        _Column("strategy", each(lambda result: _broken(result.strategy.name, longest)), 0),
        _Column("rate over\nthe run", each(shape), 2),
        base,
        _Column(what.replace(" ", "\n", 1), means, 0, f"{what}: mean over seeds", right=True),
        _Column(plus_minus, each(half), 4, gap_note),
        _Column("verdict", verdicts, 0, said, remark=remarks.out_of_order(comparison)),
        _Column("steps to\ntarget", each(words.to_target), 6, f"steps to target: {meanings.arrival(comparison)}", True),
        *([] if untuned else _of_short_runs(comparison, each)),
        _Column("runs", each(lambda one: words.endings(one).replace(", ", ",\n")), 0, meanings.endings(comparison)),
    ]


def _of_short_runs(comparison: Comparison, each: Callable[..., tuple[str, ...]]) -> list[_Column]:
    good = f"good rates: {meanings.good(comparison)}"
    twice = f"at twice the rate: {meanings.at_twice()}"
    return [
        _Column("good\nrates", each(words.good_region), 5, good, True, remarks.outside_good(comparison)),
        _Column("at twice\nthe rate", each(words.at_twice), 3, twice),
    ]


def _broken(name: str, longest: int) -> str:
    """A long name in two lines, at a hyphen or blank if there is one."""
    if cell_len(name) <= longest:
        return name
    at = max(name.rfind(mark, 0, longest) for mark in "- _")
    return name if at < 1 else f"{name[: at + 1]}\n{name[at + 1 :]}"


def _row_style(result: StrategyResult) -> str:
    if result.may_be_best:
        return "green"
    if result.count(Ending.DIVERGED):
        return "red"
    return "" if result.ranked else "dim"


def _hanging(line: str, width: int, *, mark: str = "\N{BULLET} ") -> str:
    return fill(line, width, initial_indent=mark, subsequent_indent="  ", break_on_hyphens=False)
