"""Suggestions judged by the truth, and the table of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean, median

from benchmarks.find import tasks


@dataclass(frozen=True, slots=True)
class Judged:
    """One suggestion and what came of it.

    Args:
        finder, way: who suggested, and how the budget was spent.
        task, optimizer, schedule, seed: for what.
        lr: the suggestion; `nan` if there was none.
        regret: normalised, in [0, 1]; 1 without a suggestion.
        failed: the share of the trainings at that rate that fail; 1 without a suggestion.
        steps: updates that the suggestion took.
    """

    finder: str
    way: str
    task: str
    optimizer: str
    schedule: str
    seed: int
    lr: float
    regret: float
    failed: float
    steps: int


@dataclass(frozen=True, slots=True)
class Row:
    """A finder at a budget, over everything that it was asked.

    Args:
        regret: mean.
        failed: the share of trainings that fail.
        spread: the largest ratio of two suggestions for the same cell; infinite if only some seeds got one.
        steps: median.
        count: suggestions.
    """

    finder: str
    way: str
    regret: float
    failed: float
    spread: float
    steps: float
    count: int


def spread(rates: Iterable[float]) -> float:
    """The largest rate over the smallest; infinite if some, but not all, are missing, 1 if all are."""
    given = list(rates)
    known = [rate for rate in given if math.isfinite(rate)]
    if not known:
        return 1.0
    return max(known) / min(known) if len(known) == len(given) else math.inf


def summary(judged: Sequence[Judged]) -> Row:
    """One row of the table, of the suggestions of one finder at one budget."""
    ordered = sorted(judged, key=_cell)
    cells = [[each.lr for each in group] for _, group in groupby(ordered, key=_cell)]
    return Row(
        judged[0].finder,
        judged[0].way,
        fmean(each.regret for each in judged),
        fmean(each.failed for each in judged),
        max(map(spread, cells)),
        median(each.steps for each in judged),
        len(judged),
    )


def rows(judged: Iterable[Judged]) -> list[Row]:
    """A row for each finder and budget, those with the lowest regret first."""
    ordered = sorted(judged, key=_who)
    return sorted((summary(list(group)) for _, group in groupby(ordered, key=_who)), key=lambda row: row.regret)


def table(judged: Sequence[Judged]) -> str:
    """The rows as Markdown, with the held-out tasks apart."""
    held_out = [task.__name__ for task in tasks.HELD_OUT]
    asked = [task for task in held_out if any(each.task == task for each in judged)]
    head = ["finder", "spent", "regret", "failed", "worst spread", "median steps", *asked]
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for row in rows(judged):
        mine = [each for each in judged if (each.finder, each.way) == (row.finder, row.way)]
        apart = [_short(summary([each for each in mine if each.task == task])) for task in asked]
        ratio = "-" if math.isinf(row.spread) else f"{row.spread:.3g}"
        cells = [row.finder, row.way, f"{row.regret:.3f}", f"{row.failed:.1%}", ratio, f"{row.steps:.0f}", *apart]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _short(row: Row) -> str:
    return f"{row.regret:.3f}, {row.failed:.0%} failed"


def _cell(judged: Judged) -> tuple[str, str, str]:
    return judged.task, judged.optimizer, judged.schedule


def _who(judged: Judged) -> tuple[str, str]:
    return judged.finder, judged.way
