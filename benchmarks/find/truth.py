"""How good a rate really is: full-length training, normalised regret, remembered in a file.

    rates, regrets, failed = truth("digits_mlp", "adam", "hold")
    regret("digits_mlp", "adam", "hold", 3e-3)

A rate's loss is that of the fixed scoring batch after the last of `STEPS` updates, at most the untrained loss, averaged
over the seeds. Its normalised regret is (loss - best) / (untrained - best), between 0 and 1; `best` is the loss of the
best rate of a grid of four per decade. A training fails if it diverges or ends above nine tenths.

A rate off the grid is rounded to the nearest of twelve per decade and trained when it is first asked for, unless its
neighbours on the grid tell enough (see `judge`).
"""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from statistics import fmean
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.find import tasks
from benchmarks.find.kept import CACHE, Kept, digest

Array: TypeAlias = NDArray[np.float64]
Scores: TypeAlias = list[tuple[float, float]]  # (training loss, validation loss) of each seed; infinite if diverged

STEPS = 400
# Where three are too few, because the last loss depends much on the order of the data.
SEEDS = {"cancer_noisy": 8, "diabetes_mlp": 8, "deep_tanh": 8}
SCHEDULES = ("hold", "cosine 1..0")
FAILED = 0.9
EQUAL, POOR, IDLE = 0.02, 0.5, 0.95  # regrets: neighbours this close are equal; this much is poor; has learnt nothing
PER_DECADE = 12
COARSE = 3  # every third of these is four per decade
# Where the grid begins, in units of a twelfth of a decade; it is widened until best and edge are inside.
BEGIN = {"sgd": (-18, 6), "momentum": (-27, -3), "adam": (-33, -9), "adamw": (-33, -9), "rmsprop": (-36, -12)}
CEILING = 24  # with normalisation, or a rate that falls to 0, some trainings never fail


@dataclass(frozen=True, slots=True)
class Truth:
    """All that is known of one cell: a task, an optimizer and a schedule.

    Args:
        rates: four per decade, ascending.
        regrets: normalised regret of each, in [0, 1].
        failed: the share of the trainings at each rate that failed.
        val_regrets: the same as `regrets`, of the validation loss and its own best rate.
        untrained, best: the mean scoring loss before the first update, and after the last at the best rate.
    """

    rates: Array
    regrets: Array
    failed: Array
    val_regrets: Array
    untrained: float
    best: float

    @property
    def best_rate(self) -> float:
        """The rate with the lowest loss."""
        return float(self.rates[np.argmin(self.regrets)])

    @property
    def edge(self) -> float:
        """The lowest rate above the best at which a training failed; infinite if none did."""
        beyond = self.rates[(self.rates > self.best_rate) & (self.failed > 0)]
        return float(beyond[0]) if len(beyond) else math.inf


def truth(task: str, optimizer: str, schedule: str) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Rates, the normalised regret of each, and whether any training at it failed."""
    known = cell(task, optimizer, schedule)
    return known.rates, known.regrets, known.failed > 0


def regret(task: str, optimizer: str, schedule: str, lr: float) -> float:
    """The normalised regret of a rate, which is trained if it never was; 1 for what is no rate."""
    return judge(task, optimizer, schedule, lr)[0]


def judge(task: str, optimizer: str, schedule: str, lr: float) -> tuple[float, float]:
    """The normalised regret of a rate, and the share of its trainings that fail; both 1 for what is no rate.

    Trained is what decides. Between two rates of the coarse grid the line between them is as good as a training where
    both are equally good, or both poor, or both slower than the best and safe: there a curve of regret is smooth. And a
    rate below one that learns next to nothing is given the regret of that one.
    """
    if not (math.isfinite(lr) and lr > 0):
        return 1.0, 1.0
    known = cell(task, optimizer, schedule)

    def at(place: int) -> tuple[float, float]:
        return normalised(scores(task, optimizer, schedule, place), untrained(task), 0, known.best)

    position = PER_DECADE * math.log10(lr)
    if abs(position - round(position)) < 0.01:  # a rate of the grid, printed with three digits
        position = float(round(position))
    lowest = nearest(float(known.rates[0]))
    while position < lowest and at(lowest)[0] < IDLE:
        lowest -= COARSE
    position = max(position, lowest)
    before = COARSE * math.floor(position / COARSE)
    (low, low_failed), (high, high_failed) = at(before), at(before + COARSE)
    slow = rate(before + COARSE) < 0.99 * known.best_rate and low_failed == high_failed == 0
    if slow or abs(high - low) <= EQUAL or min(low, high) >= POOR:
        share = position / COARSE - before / COARSE
        return low + share * (high - low), low_failed + share * (high_failed - low_failed)
    return at(round(position))


@cache
def cell(task: str, optimizer: str, schedule: str) -> Truth:
    """The whole grid of a cell; trained at the first call, read at the next."""
    low, high = BEGIN[optimizer]
    grid = list(range(low, high + 1, COARSE))
    while True:
        trained = {place: scores(task, optimizer, schedule, place) for place in grid}
        found = _assemble(trained, untrained(task))
        best = int(np.argmin(found.regrets))
        if best < 4:
            grid.insert(0, grid[0] - COARSE)
        elif min(found.regrets[-2:]) < FAILED and grid[-1] < CEILING:
            grid.append(grid[-1] + COARSE)
        else:
            return found


def single(task: str, optimizer: str, schedule: str, seed: int) -> tuple[float, int]:
    """The best rate of the grid by the trainings of one seed alone, and the updates that they take."""
    rates = cell(task, optimizer, schedule).rates
    place = seeds(task).index(seed)
    ends = [scores(task, optimizer, schedule, nearest(float(each)))[place][0] for each in rates]
    return float(rates[int(np.argmin(ends))]), STEPS * len(rates)


def nearest(lr: float) -> int:
    """The nearest rate of the fine grid, as a power of the twelfth root of ten."""
    return round(PER_DECADE * math.log10(lr))


def rate(place: int) -> float:
    """The rate at a place of the fine grid."""
    return float(10.0 ** (place / PER_DECADE))


def normalised(ended: Scores, begun: Scores, column: int, best: float) -> tuple[float, float]:
    """Normalised regret, and the share of seeds that failed; column 0 is training, 1 validation."""
    starts = [start[column] for start in begun]
    ends = [min(score[column], start) for score, start in zip(ended, starts, strict=True)]
    value = (fmean(ends) - best) / (fmean(starts) - best)
    fails = [(end - best) >= FAILED * (begin - best) for end, begin in zip(ends, starts, strict=True)]
    return min(max(value, 0.0), 1.0), sum(fails) / len(fails)


def _assemble(trained: dict[int, Scores], begun: Scores) -> Truth:
    def mean(ended: Scores, column: int) -> float:
        return fmean(min(end[column], start[column]) for end, start in zip(ended, begun, strict=True))

    best, val_best = (min(mean(ended, column) for ended in trained.values()) for column in (0, 1))
    judged = [normalised(ended, begun, 0, best) for ended in trained.values()]
    return Truth(
        np.array([rate(place) for place in trained]),
        np.array([value for value, _ in judged]),
        np.array([share for _, share in judged]),
        np.array([normalised(ended, begun, 1, val_best)[0] for ended in trained.values()]),
        fmean(start for start, _ in begun),
        best,
    )


def scores(task: str, optimizer: str, schedule: str, place: int) -> Scores:
    """What was scored at a place of the fine grid, seed by seed; trained if it never was."""
    kept = _kept(task)
    found: Scores = []
    for seed in seeds(task):
        key = f"{optimizer} | {schedule} | {place} | {seed}"
        if key not in kept:
            kept.add(key, train(task, optimizer, schedule, rate(place), seed))
        found.append(tuple(kept[key]))
    return found


def untrained(task: str) -> Scores:
    """What is scored before the first update, seed by seed."""
    kept = _kept(task)
    for seed in seeds(task):
        if f"untrained | {seed}" not in kept:
            kept.add(f"untrained | {seed}", _score(tasks.make(task, seed)))
    return [tuple(kept[f"untrained | {seed}"]) for seed in seeds(task)]


def seeds(task: str) -> range:
    """The seeds that rates are judged by; a finder has others."""
    return range(100, 100 + SEEDS.get(task, 3))


@cache
def _kept(task: str) -> Kept:
    """The file is named by the source of the task and the way of training."""
    return Kept(CACHE / f"truth-{task}-{tasks.fingerprint(task)}-{WAY}.jsonl")


def train(task: str, optimizer: str, schedule: str, lr: float, seed: int) -> tuple[float, float]:
    """The scoring and the validation loss after the last update; infinite if the training diverged."""
    work = tasks.make(task, seed)
    stepper = tasks.optimizer(optimizer, work.model.parameters(), lr)
    for step, (inputs, targets) in zip(range(STEPS), work.batches(seed), strict=False):
        if schedule == "cosine 1..0":
            stepper.param_groups[0]["lr"] = lr * 0.5 * (1.0 + math.cos(math.pi * step / STEPS))
        stepper.zero_grad()
        loss = work.criterion(work.model(inputs), targets)
        if step % 20 == 0 and not math.isfinite(loss.item()):
            return math.inf, math.inf
        torch.autograd.backward(loss)
        stepper.step()
    return _score(work)


def _score(work: tasks.Work) -> tuple[float, float]:
    """Scoring and validation loss, in training mode: what a range test or a race sees too."""
    with torch.no_grad():
        losses = [float(work.loss(work.model, batch)) for batch in (work.scoring, work.val)]
    return (losses[0] if math.isfinite(losses[0]) else math.inf, losses[1] if math.isfinite(losses[1]) else math.inf)


# Read at once, because the file may be edited while trainings run.
WAY = digest([inspect.getsource(train), inspect.getsource(_score), str(STEPS)])


def cells(names: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Every combination of these tasks with the optimizers and schedules."""
    for task in names:
        for optimizer in tasks.OPTIMIZERS:
            for schedule in SCHEDULES:
                yield task, optimizer, schedule


def main() -> None:
    """Train the grids of the tasks named on the command line (default: all) and print the best rate and the edge."""
    torch.set_num_threads(1)
    names = sys.argv[1:] or list(tasks.TASKS)
    print("kept in", *(_kept(name).path for name in names), sep="\n  ")  # all named before anybody edits a source
    print(f"{'task':20}{'optimizer':10}{'schedule':13}{'best':>9}{'edge':>9}{'loss':>9}{'untrained':>10}  regrets")
    for task, optimizer, schedule in cells(names):
        found = cell(task, optimizer, schedule)
        near = " ".join(f"{value:.2f}" for value in found.regrets)
        print(
            f"{task:20}{optimizer:10}{schedule:13}{found.best_rate:9.2g}{found.edge:9.2g}"
            f"{found.best:9.4f}{found.untrained:10.4f}  {near} from {found.rates[0]:.2g}",
            flush=True,
        )


if __name__ == "__main__":
    main()
