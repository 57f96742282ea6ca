"""The search: a sweep to begin, a race of real short runs, and what follows from it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from stepwell.find import sweep as sweeping
from stepwell.find.bench import Bench, TrialMemoryError
from stepwell.find.grid import rate_at
from stepwell.find.levels import levels
from stepwell.find.race import Ask, Heat, Level, Told, race
from stepwell.find.short_run import FINE, Setting, check_schedule, factors, no_memory, short_run, untrained
from stepwell.find.transient import places_apart
from stepwell.record.suggestion import Fate, Probe, RangeTest

LONGEST = 100_000  # updates of a whole run: of a longer one the beginning is nothing
UNTOLD = 10  # times the longest short run is the whole run taken to be where nobody said how long it is


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a search is.

    Args:
        spent: updates and scored batches so far.
        budget: the most there will be.
        words: what is being done.
    """

    spent: int
    budget: int
    words: str


Watch = Callable[[Progress], None]


@dataclass(slots=True)
class Search:
    """A search while it runs: it answers the race's questions on a bench.

    Args:
        bench: open.
        setting: of every short run.
        budget: updates and scored batches in all.
        seed: the first one; a level's seeds are counted from it.
        bounds: the first and the last place of the grid that may be tried; None for no bounds.
        watch: hears of every short run before it begins.
        val_batches: validation batches that a short run is scored on at most.
        rises: places between the best rate of short runs of a length and that of the whole run, as far as the
            optimizer's first updates are of another size than its later ones.
        dear: batches that were scored for one short run at most so far; what the next may cost besides its updates.
    """

    bench: Bench
    setting: Setting
    budget: int
    seed: int = 0
    bounds: tuple[int, int] | None = None
    watch: Watch | None = None
    val_batches: int = 0
    probes: list[Probe] = field(default_factory=list)
    heats: list[Heat] = field(default_factory=list)
    sweep: RangeTest | None = None
    initials: dict[int, float] = field(default_factory=dict)
    rises: dict[int, int] = field(default_factory=dict)
    dear: int = 0
    _here: int | None = None

    def run(self) -> None:
        """Search; the results are in `probes`, `heats`, `sweep`, `initials` and `rises`."""
        plan = levels(self.budget, scored=self.setting.scored)
        self._stand_on(0)
        check_schedule(self.bench, self.setting, plan[0].steps)
        self.rises = self._rises(plan)
        self._tell("raising the rate until the loss does")
        first, last = sweeping.span(self.bounds)
        self.sweep = sweeping.sweep(self.bench, first, last)
        self.setting = replace(
            self.setting, first=sweeping.untrained_loss(self.sweep), unit=sweeping.movement(self.sweep)
        )
        bounds = self.bounds or (sweeping.FIRST - 8, sweeping.LAST + 8)
        start = sweeping.where_to_begin(self.sweep, first)
        going = race(plan, min(max(start, bounds[0]), bounds[1]), bounds)
        try:
            asks = next(going)
            while True:
                asks = going.send(self._answers(asks))
        except StopIteration as end:
            self.heats = end.value

    def _rises(self, plan: Sequence[Level]) -> dict[int, int]:
        """By the length of a short run: the places that a rate rises for the run that it is for."""
        whole = min(self.setting.total_steps or UNTOLD * plan[-1].steps, LONGEST)
        return {level.steps: self._rise(level.steps, whole) for level in plan}

    def _rise(self, steps: int, whole: int) -> int:
        small = factors(self.bench, self.setting, 1.0, steps)
        rates = small.get("lr", np.ones(steps))
        momentum = float(small["momentum"][0]) if "momentum" in small else None
        stretched = np.interp(np.linspace(0.0, 1.0, max(whole, steps)), np.linspace(0.0, 1.0, steps), rates)
        return places_apart(self.bench.mean_step(rates, momentum), self.bench.mean_step(stretched, momentum))

    def _answers(self, asks: Sequence[Ask]) -> dict[Ask, Told]:
        """As many short runs as the budget allows, seed by seed."""
        told: dict[Ask, Told] = {}
        for ask in sorted(asks, key=lambda ask: ask.seed):
            if not self._affordable(ask):
                break
            told[ask] = self._run(ask)
        return told

    def _affordable(self, ask: Ask) -> bool:
        dear = self.dear
        if ask.level.stage == FINE and all(probe.stage != FINE for probe in self.probes):  # the first with both scores
            dear = max(dear, self.setting.scored + self.val_batches)
        beginning = 0 if ask.seed in self.initials else dear
        return self.bench.spent + beginning + ask.level.steps + dear <= self.budget

    def _run(self, ask: Ask) -> Told:
        probe = self._tried(ask)
        if probe.fate is Fate.FAILED and self._affordable(ask):  # what lacked memory once may have it the next time
            probe = self._tried(ask)
        initial = self.initials.get(ask.seed, math.nan)
        if probe.fate is not Fate.FINISHED:
            return Told(math.inf, initial)
        late = probe.losses[len(probe.losses) // 2 :].mean() if self.setting.metric == "loss" else None
        return Told(probe.score, initial, late)

    def _tried(self, ask: Ask) -> Probe:
        lr, steps, stage, seed = rate_at(ask.place), ask.level.steps, ask.level.stage, self.seed + ask.seed
        self._tell(f"{steps} updates at rate {lr:.3g}")
        try:
            self._stand_on(ask.seed)
        except TrialMemoryError as error:
            probe = no_memory(error, lr=lr, steps=steps, seed=seed, stage=stage)
        else:
            initial = self.initials[ask.seed]
            before = self.bench.spent
            probe = short_run(self.bench, self.setting, lr=lr, steps=steps, initial=initial, seed=seed, stage=stage)
            if probe.fate is not Fate.FAILED:  # that one has no losses, and may not have been scored
                self.dear = max(self.dear, self.bench.spent - before - len(probe.losses))
        self.probes.append(probe)
        return probe

    def _stand_on(self, seed: int) -> None:
        if self._here != seed:
            self.bench.begin(self.seed + seed)
            self._here = seed
        if seed not in self.initials:
            before = self.bench.spent
            self.initials[seed] = untrained(self.bench, self.setting)
            self.dear = max(self.dear, self.bench.spent - before)

    def _tell(self, words: str) -> None:
        if self.watch is not None:
            self.watch(Progress(self.bench.spent, self.budget, words))
