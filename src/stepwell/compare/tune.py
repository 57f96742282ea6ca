"""Find the rate of every strategy; their searches go on side by side, so that the engine is kept busy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stepwell.compare.assemble import Rules, Tuning
from stepwell.compare.ledger import Ledger
from stepwell.compare.plan import Grid, Miniature, Terms, miniatures
from stepwell.compare.response import Response, cost, untrained_cost
from stepwell.compare.search import Leg, Search, search
from stepwell.find.race import Ask, Told
from stepwell.record.run import Ending, Run
from stepwell.record.trial import Strategy, Trial


@dataclass(slots=True)
class _Going:
    """A search that goes on: what it asks for next, and by stage what is trained and what came of it."""

    search: Search
    trained: Mapping[str, Miniature]
    responses: Mapping[str, Response]
    asks: Sequence[Ask] = ()

    def trials(self, terms: Terms, grid: Grid) -> list[Trial]:
        """What is asked for, as trials."""
        return [self.trained[ask.level.stage].trial(terms, grid.rate(ask.place), ask.seed) for ask in self.asks]

    def answer(self, grid: Grid, runs: Sequence[Run]) -> bool:
        """Keep the runs and tell of them; whether the search asks for more."""
        told = {}
        for ask, run in zip(self.asks, runs, strict=True):
            response = self.responses[ask.level.stage]
            response.add(grid.rate(ask.place), run)
            told[ask] = _told(run, response)
        try:
            self.asks = self.search.send(told)
        except StopIteration:
            self.asks = ()
        return bool(self.asks)


def tune(terms: Terms, strategies: Sequence[Strategy], rules: Rules, ledger: Ledger) -> Tuning:
    """The runs that found the rates; the rate of a strategy is the best of its runs at full length."""
    grid = Grid(rules.rates, rules.widen)
    searches = {strategy.name: _begun(terms, strategy, rules, grid) for strategy in strategies}
    going = list(searches.values())
    while going:
        trials = [one.trials(terms, grid) for one in going]
        stages = {ask.level.stage for one in going for ask in one.asks}
        ledger.stage = "refine" if stages == {"refine"} else "race"
        runs = iter(ledger.run([trial for some in trials for trial in some]))
        going = [one for one in going if one.answer(grid, [next(runs) for _ in one.asks])]
    return Tuning({name: tuple(one.responses.values()) for name, one in searches.items()})


def _begun(terms: Terms, strategy: Strategy, rules: Rules, grid: Grid) -> _Going:
    trained = {one.level.stage: one for one in miniatures(terms, strategy)}
    responses = {stage: Response(rules.goal, rules.direction) for stage in trained}
    dash, short, full = (Leg(one.level, responses[stage]) for stage, one in trained.items())
    asking = search(grid, dash, short, full)
    return _Going(asking, trained, responses, next(asking))


def _told(run: Run, response: Response) -> Told:
    """What the race is told of a run: its cost, infinite if it diverged, and that of the untrained network."""
    diverged = run.outcome.ending is Ending.DIVERGED
    score = math.inf if diverged else cost(run, response.goal, response.direction)
    return Told(score, untrained_cost(run, response.goal, response.direction))
