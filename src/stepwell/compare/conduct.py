"""Conduct a comparison: race the rates, run the best again at full length, judge on fresh seeds, decide."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from stepwell.compare import plan
from stepwell.compare.assemble import Rules, Tuning, assemble
from stepwell.compare.ledger import Ledger, Status
from stepwell.compare.response import Response
from stepwell.compare.strategy import ILLUSTRATIONS, illustration, is_constant
from stepwell.engines.engine import Engine
from stepwell.record.comparison import Comparison
from stepwell.record.run import Run
from stepwell.record.store import Store
from stepwell.record.trial import Strategy


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
    responses: dict[str, Response] = {}
    full: dict[str, Response] = {}
    if len(rules.rates) == 1:
        rates = {strategy.name: rules.rates[0] for strategy in strategies}
    else:
        responses = _race(terms, strategies, rules, ledger)
        ledger.stage = "refine"
        full = _refine(terms, strategies, rules, ledger, responses)
        rates = {name: response.best for name, response in full.items()}
    ledger.stage = "judge"
    pairs = [(strategy, rates[strategy.name]) for strategy in strategies]
    shown = _illustrations(strategies, rates) if illustrate else []
    ledger.planned_steps = ledger.done_steps + len(terms.seeds) * len(pairs + shown) * terms.steps
    judged = _judge(terms, pairs + shown, ledger)
    return assemble(terms, rules, ledger, pairs, shown, judged, Tuning(responses, full), time.perf_counter() - began)


def _estimate(terms: plan.Terms, strategies: Sequence[Strategy], rules: Rules) -> int:
    """Updates in all, if filling in the grid costs as much as the coarse one and three rates are run again."""
    tuning = 0
    if len(rules.rates) > 1:
        first = plan.first_rates(rules.rates, widen=rules.widen)
        raced = [plan.short_trials(terms, strategy, first) * (2 if rules.widen else 1) for strategy in strategies]
        tuning = sum(trial.budget.total_steps or 0 for trials in raced for trial in trials)
        tuning += 3 * len(strategies) * len(terms.tuning_seeds) * terms.steps
    return tuning + (len(strategies) + len(ILLUSTRATIONS)) * len(terms.seeds) * terms.steps


def _race(terms: plan.Terms, strategies: Sequence[Strategy], rules: Rules, ledger: Ledger) -> dict[str, Response]:
    """Short runs of every strategy over a coarse grid, then around its good rates, wherever these lie."""
    responses = {strategy.name: Response(rules.goal, rules.direction) for strategy in strategies}
    to_run = {strategy.name: plan.first_rates(rules.rates, widen=rules.widen) for strategy in strategies}
    while to_run:
        trials = {
            strategy.name: plan.short_trials(terms, strategy, to_run[strategy.name])
            for strategy in strategies
            if strategy.name in to_run
        }
        flat = [(name, trial) for name, some in trials.items() for trial in some]
        runs = ledger.run([trial for _, trial in flat])
        for (name, trial), run in zip(flat, runs, strict=True):
            responses[name].add(trial.base_lr, run)
        to_run = {
            name: rates
            for name, response in responses.items()
            if (rates := plan.lacking(response, rules.rates, widen=rules.widen))
        }
    return responses


def _refine(
    terms: plan.Terms, strategies: Sequence[Strategy], rules: Rules, ledger: Ledger, responses: Mapping[str, Response]
) -> dict[str, Response]:
    """Full-length runs of each: from the best two rates of the race on to neighbours, until the best is bracketed.

    A strategy that learned nothing at these two rates is not followed further.
    """
    full = {strategy.name: Response(rules.goal, rules.direction) for strategy in strategies}
    to_run = {name: plan.finalists(response) for name, response in responses.items()}
    while to_run:
        wanted = [(strategy, rate) for strategy in strategies for rate in to_run.get(strategy.name, ())]
        trials = [terms.trial(strategy, rate, seed) for strategy, rate in wanted for seed in terms.tuning_seeds]
        for trial, run in zip(trials, ledger.run(trials), strict=True):
            full[trial.strategy.name].add(trial.base_lr, run)
        neighbours = {
            name: plan.next_to(response.best, response.rates, rules.rates, widen=rules.widen)
            for name, response in full.items()
            if response.learned
        }
        to_run = {name: (rate,) for name, rate in neighbours.items() if rate is not None}
    return full


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
