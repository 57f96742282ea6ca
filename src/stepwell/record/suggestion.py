"""What a search for a learning rate found: plain data, so that drawing and reporting it needs no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]


class Verdict(StrEnum):
    """How a search ended."""

    FOUND = "found"
    NO_SIGNAL = "no signal"
    WIDEN_UP = "widen up"
    WIDEN_DOWN = "widen down"
    DISAGREE = "train and validation disagree"


class Fate(StrEnum):
    """How one short run ended; the value is what a table prints."""

    FINISHED = "finished"
    DIVERGED = "diverged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """One real short run: a complete miniature of the schedule, from the same start as its rivals.

    Args:
        lr: the base rate of the first parameter group; the others keep their ratio to it.
        seed: of the initialisation and the order of the data (of the order alone for a live model).
        stage: "race" or "refine".
        steps: updates planned; fewer losses were recorded if it was stopped.
        losses: the training loss before each update, shape (updates made,).
        score: what rates are ranked by, lower is better: the loss of the metric that was asked for, after the last
            update, on batches that every rate of this seed is scored on; `nan` unless finished.
        train, val: that score on training and on validation batches; `nan` where not measured.
        fate: how it ended.
        words: why, where it did not finish.
    """

    lr: float
    seed: int
    stage: str
    steps: int
    losses: Array
    score: float
    train: float = float("nan")
    val: float = float("nan")
    fate: Fate = Fate.FINISHED
    words: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class RangeTest:
    """One sweep of a rising rate (Smith 2015, arXiv:1506.01186).

    Args:
        rates: the rate of each update, shape (updates made,).
        losses: the raw training loss before each update, same shape; the last may be `nan` or infinite.
        suggestions: the rate that each peer's rule reads from it, by the rule's name; `nan` where it has none.
    """

    rates: Array
    losses: Array
    suggestions: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class LrSuggestion:
    """A rate with the evidence for it.

    Args:
        lr: the suggested base rate of the first parameter group; `nan` where the verdict gives none.
        verdict: how the search ended.
        words: the verdict as one or two sentences with the numbers that it rests on.
        low, high: around `lr`, the lowest and highest rate whose result stays within `tolerance` of the best; `nan`
            without an `lr`, or where nothing was trained at it.
        edge: the lowest rate above `lr` that was seen to fail, without an `lr` the lowest that was; `nan` if none was.
        spread: how many times the best rate of the luckiest seed is that of the unluckiest; 1.0 if they agree, `nan`
            with fewer than two seeds, or where every seed gave the same batches.
        tolerance: normalised regret, (score - best) / (untrained - best), that still counts as good: 0.05, or that of
            `lr` where it is more, because the best rates are next to failure.
        probes: every short run, in the order in which they were run.
        sweep: the classical range test, where one was run.
        spent: optimizer updates, plus one for every batch that was only scored, that the search took.
        budget: the most it was allowed.
        seeds: what seeds vary: "initialisation and data order" or "data order".
        ratios: the base rate of each parameter group as a multiple of the first's.
        initial: the score before the first update, mean over seeds.
        task, optimizer, schedule, metric: what was asked.
        code: Python to paste: the same in the user's own optimizer.
        moved: times the rate that the short runs chose; not 1 where the optimizer's first updates are larger or smaller
            than its later ones, and then `low` and `high` are moved too.
    """

    lr: float
    verdict: Verdict
    words: str
    low: float
    high: float
    edge: float
    spread: float
    tolerance: float
    probes: tuple[Probe, ...]
    sweep: RangeTest | None
    spent: int
    budget: int
    seeds: str
    ratios: tuple[float, ...]
    initial: float
    task: str
    optimizer: str
    schedule: str
    metric: str
    code: str
    moved: float = 1.0

    @property
    def basis(self) -> str:
        """On how little the verdict rests, as a clause; empty where it rests on several seeds that differ in all."""
        if self.seeds == "nothing":
            return "on one initialisation and one order of the data"
        several = math.isfinite(self.spread)
        if self.seeds == "data order":
            return f"on one initialisation and {'several orders' if several else 'one order'} of the data"
        return "" if several else "on one seed"

    def __repr__(self) -> str:
        """The answer in one line; the evidence is in the fields."""
        rate = "no rate" if math.isnan(self.lr) else f"lr={self.lr:g}"
        good = "" if math.isnan(self.low) else f", good from {self.low:g} to {self.high:g}"
        verdict = " ".join(filter(None, (self.verdict.value, self.basis)))
        return f"LrSuggestion({verdict}: {rate}{good}, {self.spent} steps. {self.words})"
