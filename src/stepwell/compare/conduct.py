"""Conduct a comparison: find the rate of every strategy, judge on fresh seeds, decide."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from stepwell.compare import plan
from stepwell.compare.assemble import Rules, Tuning, assemble
from stepwell.compare.ledger import Ledger, Status
from stepwell.compare.strategy import ILLUSTRATIONS, illustration, is_constant
from stepwell.compare.tune import tune
from stepwell.engines.engine import Engine
from stepwell.record.comparison import Comparison
from stepwell.record.run import Run
from stepwell.record.store import Store
from stepwell.record.trial import Strategy

USUAL_RUNS = (5, 10, 6)  # of an automatic search: the shortest, short, at full length


def conduct(
    terms: plan.Terms,
    strategies: Sequence[Strategy],
    rules: Rules,
    engine: Engine,
    *,
    store: Store | None = None,
    watch: Callable[[Status], None] | None = None,
    illustrate: bool = True,
) -> Comparison:
    """The comparison of the strategies under these rules; see `stepwell.compare`."""
    began = time.perf_counter()
    ledger = Ledger(engine, store, watch)
    ledger.planned_steps = _estimate(terms, strategies, rules)
    if len(rules.rates) == 1:
        tuning, rates = Tuning({}), {strategy.name: rules.rates[0] for strategy in strategies}
    else:
        tuning = tune(terms, strategies, rules, ledger)
        rates = {name: legs[-1].best for name, legs in tuning.legs.items()}
    ledger.stage = "judge"
    pairs = [(strategy, rates[strategy.name]) for strategy in strategies]
    shown = _illustrations(strategies, rates) if illustrate else []
    ledger.planned_steps = ledger.done_steps + len(terms.seeds) * len(pairs + shown) * terms.steps
    judged = _judge(terms, pairs + shown, ledger)
    return assemble(terms, rules, ledger, pairs, shown, judged, tuning, time.perf_counter() - began)


def _estimate(terms: plan.Terms, strategies: Sequence[Strategy], rules: Rules) -> int:
    """Updates in all, if looking for the rates takes as many runs as it usually does."""
    tuning = 0
    if len(rules.rates) > 1:
        usual = USUAL_RUNS if rules.widen else (0, len(rules.rates) * len(terms.tuning_seeds), USUAL_RUNS[-1])
        for strategy in strategies:
            steps = [one.level.steps for one in plan.miniatures(terms, strategy)]
            tuning += sum(runs * each for runs, each in zip(usual, steps, strict=True))
    return tuning + (len(strategies) + len(ILLUSTRATIONS)) * len(terms.seeds) * terms.steps


def _illustrations(strategies: Sequence[Strategy], rates: Mapping[str, float]) -> list[tuple[Strategy, float]]:
    """Constant rates far too low and far too high, measured from the best constant rate (else from the median one)."""
    constant = next((strategy for strategy in strategies if is_constant(strategy)), None)
    rate = float(np.median(list(rates.values()))) if constant is None else rates[constant.name]
    model = constant or strategies[0]
    return [(illustration(name, model), rate * times) for name, times in ILLUSTRATIONS.items()]


def _judge(terms: plan.Terms, pairs: Sequence[tuple[Strategy, float]], ledger: Ledger) -> dict[str, tuple[Run, ...]]:
    trials = plan.judging_trials(terms, pairs)
    judged: dict[str, list[Run]] = {strategy.name: [] for strategy, _ in pairs}
    for trial, run in zip(trials, ledger.run(trials), strict=True):
        judged[trial.strategy.name].append(run)
    return {name: tuple(runs) for name, runs in judged.items()}
