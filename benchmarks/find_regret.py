"""How good the rate is that a learning-rate finder suggests: Stepwell's beside the peers' real packages.

    python -m benchmarks find_regret [--quick] [--peers-only]

Every finder suggests a rate for every task, optimizer and seed; what that rate is worth is known from full-length
trainings of other seeds (`benchmarks/find/truth.py`). The peers run in an environment of their own, `make peers`. At
300 and 600 steps they get what suits them: one longer sweep, and the median of three or six sweeps with other data
orders.

Everything is remembered in benchmarks/.cache; the first time takes hours of one core, `--quick` some minutes.
"""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch.optim import SGD, Adam, AdamW, RMSprop

from benchmarks.find import tasks
from benchmarks.find.ours import remembered
from benchmarks.find.peers import BUDGETS, PACKAGES, WAYS, Answers, Request
from benchmarks.find.table import Judged, rows, table
from benchmarks.find.truth import SCHEDULES, judge, seeds, single

KINDS: Mapping[str, Callable[..., object]] = {
    "sgd": SGD,
    "momentum": SGD,
    "adam": Adam,
    "adamw": AdamW,
    "rmsprop": RMSprop,
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What is asked: every combination of these."""

    tasks: Sequence[str]
    optimizers: Sequence[str]
    seeds: Sequence[int]

    def cells(self) -> Iterator[tuple[str, str, int]]:
        """A task, an optimizer and a seed."""
        for task in self.tasks:
            for optimizer in self.optimizers:
                for seed in self.seeds:
                    yield task, optimizer, seed


WHOLE = Scope(tuple(tasks.TASKS), tasks.OPTIMIZERS, range(5))
QUICK = Scope(("digits_mlp", "diabetes_linear"), ("sgd", "adam"), range(2))


def default_rates(scope: Scope) -> Iterator[Judged]:
    """Torch's own default rates: what a user has who chooses nothing."""
    for task, optimizer, seed in scope.cells():
        rate = float(inspect.signature(KINDS[optimizer]).parameters["lr"].default)
        yield from _judged("torch's default", "nothing", (task, optimizer, seed), dict.fromkeys(SCHEDULES, (rate, 0)))


def whole_grid(scope: Scope) -> Iterator[Judged]:
    """The best of a training at every rate of the grid, full length, one seed: how much is noise in all this.

    The seed is one of those that judge, which flatters it a little.
    """
    for task in scope.tasks:
        for optimizer in scope.optimizers:
            for seed in seeds(task)[:3]:
                found = {each: single(task, optimizer, each, seed) for each in SCHEDULES}
                yield from _judged("a grid of trainings", "one seed", (task, optimizer, seed), found)


def peers(scope: Scope) -> Iterator[Judged]:
    """The suggestions of all packages, all sweeps of a package in one go."""
    for package, rules in PACKAGES.items():
        answers = Answers(package)
        requests: list[Request] = []
        for cell in scope.cells():
            for way in WAYS:
                requests += way.requests(*cell)
        answers.run(requests)
        for rule in rules:
            for way in WAYS:
                for cell in scope.cells():
                    rate = answers.suggestion(rule, way, *cell)
                    yield from _judged(rule, way.words, cell, dict.fromkeys(SCHEDULES, (rate, way.budget)))


def stepwell(scope: Scope) -> Iterator[Judged]:
    """Our suggestions, for each schedule its own."""
    for budget in BUDGETS:
        for task, optimizer, seed in scope.cells():
            found = {each: remembered(task, optimizer, each, seed, budget)[:2] for each in SCHEDULES}
            yield from _judged("stepwell", f"up to {budget}", (task, optimizer, seed), found)


def _judged(
    finder: str, way: str, cell: tuple[str, str, int], suggestions: Mapping[str, tuple[float, int]]
) -> Iterator[Judged]:
    task, optimizer, seed = cell
    for schedule, (lr, steps) in suggestions.items():
        regret, failed = judge(task, optimizer, schedule, lr)
        yield Judged(finder, way, task, optimizer, schedule, seed, lr, regret, failed, steps)


def goals(judged: Sequence[Judged]) -> Iterator[tuple[str, bool]]:
    """Each goal in words with its figure, and whether it is met."""
    ours = {row.way: row for row in rows(judged) if row.finder == "stepwell"}
    theirs = [row for row in rows(judged) if row.finder != "stepwell" and row.steps == BUDGETS[1]]
    most, middle, least = (ours[f"up to {budget}"] for budget in reversed(BUDGETS))
    lowest = min((row.regret for row in theirs), default=math.nan)
    yield f"at 600 steps: mean regret {most.regret:.4f}, at most .005", most.regret <= 0.005
    yield f"at 600 steps: {most.failed:.1%} of trainings failed, none", most.failed == 0
    yield f"at 600 steps: worst spread {most.spread:.3g}, at most 2.5", most.spread <= 2.5
    yield (
        f"at 300 steps: mean regret {middle.regret:.4f}, lower than the best peer's {lowest:.4f}",
        middle.regret < lowest,
    )
    yield f"at 100 steps: {least.failed:.1%} of trainings failed, none", least.failed == 0


def main() -> None:
    """Print the table, and which goals are met."""
    torch.set_num_threads(1)
    scope = QUICK if "--quick" in sys.argv else WHOLE
    with_ours = "--peers-only" not in sys.argv
    sources = [default_rates, whole_grid, peers, *([stepwell] if with_ours else [])]
    judged = [each for source in sources for each in source(scope)]
    print(table(judged))
    if with_ours:
        for words, met in goals(judged):
            print(f"{'met' if met else 'MISSED'}: {words}")


if __name__ == "__main__":
    main()
