"""Conduct a comparison: race the rates, run the best again at full length, judge on fresh seeds, decide."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import torch

from stepwell.compare import plan
from stepwell.compare.decide import METHOD, decide
from stepwell.compare.lesson import lessons
from stepwell.compare.recommend import recommend
from stepwell.compare.response import Response, mean_cost, score
from stepwell.compare.strategy import ILLUSTRATIONS, illustration
from stepwell.engines.engine import Engine, Failed, Finished, Progress, Started
from stepwell.errors import TaskError
from stepwell.record.comparison import Comparison, Interval, Recommendation, StrategyResult
from stepwell.record.run import Ending, Run
from stepwell.record.store import Store
from stepwell.record.trial import Strategy, Trial

Stage = Literal["race", "refine", "judge"]


@dataclass(frozen=True, slots=True)
class Status:
    """How far a comparison is. `planned_steps` can grow while the race goes on."""

    stage: Stage
    done_steps: int
    planned_steps: int
    reused_steps: int


@dataclass(frozen=True, slots=True)
class Rules:
    """How the comparison is decided, and on what.

    Args:
        goal: the validation metric that tuning looks at, such as `val_loss`.
        metric: the metric of the decision, such as `test_loss`.
        direction: which way both are better.
        rates: the grid of the race; one rate alone is used as it is, without tuning.
        widen: whether the grid is widened where the best rate lies on its edge.
        alpha, margin: see `decide`.
        momentum: whether the optimizer of each strategy has one.
    """

    goal: str
    metric: str
    direction: Literal["min", "max"]
    rates: tuple[float, ...]
    widen: bool
    alpha: float = 0.05
    margin: float = 0.0


@dataclass(slots=True)
class Ledger:
    """Runs trials through the engine, takes what the store already has, and counts."""

    engine: Engine
    store: Store | None
    watch: Callable[[Status], None] | None
    stage: Stage = "race"
    planned_steps: int = 0
    done_steps: int = 0
    reused: int = 0
    reused_steps: int = 0
    trials: int = 0
    train_seconds: float = 0.0
    stage_steps: dict[str, int] = field(default_factory=dict)
    _ended: dict[str, Run] = field(default_factory=dict)
    _under_way: dict[str, int] = field(default_factory=dict)

    def run(self, trials: Sequence[Trial]) -> list[Run]:
        """The runs of the trials, in their order; each is trained at most once, and not at all if it is stored.

        Raises:
            TaskError: a trial failed.
        """
        wanted = {trial.key(): trial for trial in trials}
        new = {key: trial for key, trial in wanted.items() if key not in self._ended}
        self._take_stored(new)
        missing = [trial for key, trial in new.items() if key not in self._ended]
        for event in self.engine.run(missing) if missing else ():
            match event:
                case Failed(trial, error):
                    raise TaskError(f"{trial.strategy.name} at rate {trial.base_lr:g}, seed {trial.seed}: {error}")
                case Finished(trial, run):
                    self._end(trial, run)
                case Progress(trial, step) | Started(trial, step):
                    self._under_way[trial.key()] = step
            self.tell()
        for trial in new.values():
            self.stage_steps[self.stage] = self.stage_steps.get(self.stage, 0) + (trial.budget.total_steps or 0)
        return [replace(self._ended[trial.key()], name=trial.strategy.name) for trial in trials]

    def tell(self) -> None:
        """Let the watcher know how far we are."""
        if self.watch is not None:
            done = self.done_steps + sum(self._under_way.values())
            self.watch(Status(self.stage, done, max(self.planned_steps, done), self.reused_steps))

    def _take_stored(self, wanted: Mapping[str, Trial]) -> None:
        if self.store is None:
            return
        for key in self.store.finished(wanted):
            run = self.store.load(key)
            if run.settings.get("torch") == torch.__version__:
                self._ended[key] = run
                steps = wanted[key].budget.total_steps or 0
                self.reused += 1
                self.reused_steps += steps
                self.done_steps += steps
            else:  # another torch computes other numbers
                self.store.delete([key])

    def _end(self, trial: Trial, run: Run) -> None:
        key = trial.key()
        self._ended[key] = run
        self._under_way.pop(key, None)
        self.done_steps += trial.budget.total_steps or 0
        self.trials += 1
        self.train_seconds += run.results.get("train_seconds", 0.0)


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
    if len(rules.rates) == 1:
        rates = {strategy.name: rules.rates[0] for strategy in strategies}
    else:
        responses = _race(terms, strategies, rules, ledger)
        ledger.stage = "refine"
        rates = _refine(terms, strategies, rules, ledger, responses)
    ledger.stage = "judge"
    pairs = [(strategy, rates[strategy.name]) for strategy in strategies]
    shown = _illustrations(strategies, rates) if illustrate else []
    ledger.planned_steps = ledger.done_steps + len(terms.seeds) * len(pairs + shown) * terms.steps
    judged = _judge(terms, pairs + shown, ledger)
    return _comparison(terms, rules, ledger, pairs, shown, judged, responses, time.perf_counter() - began)


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
) -> dict[str, float]:
    """The rate of each at full length: from the best two of the race on to neighbours, until the best is bracketed."""
    full: dict[str, dict[float, float]] = {strategy.name: {} for strategy in strategies}
    to_run = {name: plan.finalists(response) for name, response in responses.items()}
    while to_run:
        wanted = [(strategy, rate) for strategy in strategies for rate in to_run.get(strategy.name, ())]
        trials = [terms.trial(strategy, rate, seed) for strategy, rate in wanted for seed in terms.tuning_seeds]
        runs = iter(ledger.run(trials))
        for strategy, rate in wanted:
            by_seed = {seed: next(runs) for seed in terms.tuning_seeds}
            full[strategy.name][rate] = mean_cost(by_seed, rules.goal, rules.direction)
        neighbours = {name: plan.next_to(costs, rules.rates, widen=rules.widen) for name, costs in full.items()}
        to_run = {name: (rate,) for name, rate in neighbours.items() if rate is not None}
    return {name: min(costs, key=lambda rate: costs[rate]) for name, costs in full.items()}


def _illustrations(strategies: Sequence[Strategy], rates: Mapping[str, float]) -> list[tuple[Strategy, float]]:
    """Constant rates far too low and far too high, measured from the best constant rate (else from the median one)."""
    model = next((strategy for strategy in strategies if strategy.name == "constant"), strategies[0])
    rate = rates.get("constant", float(np.median(list(rates.values()))))
    return [(illustration(name, model), rate * times) for name, times in ILLUSTRATIONS.items()]


def _judge(terms: plan.Terms, pairs: Sequence[tuple[Strategy, float]], ledger: Ledger) -> dict[str, tuple[Run, ...]]:
    trials = plan.judging_trials(terms, pairs)
    judged: dict[str, list[Run]] = {strategy.name: [] for strategy, _ in pairs}
    for trial, run in zip(trials, ledger.run(trials), strict=True):
        judged[trial.strategy.name].append(run)
    return {name: tuple(runs) for name, runs in judged.items()}


def _comparison(
    terms: plan.Terms,
    rules: Rules,
    ledger: Ledger,
    pairs: Sequence[tuple[Strategy, float]],
    shown: Sequence[tuple[Strategy, float]],
    judged: Mapping[str, tuple[Run, ...]],
    responses: Mapping[str, Response],
    seconds: float,
) -> Comparison:
    scores = np.asarray([[score(run, rules.metric) for run in judged[strategy.name]] for strategy, _ in pairs])
    decision = decide(scores, alpha=rules.alpha, margin=rules.margin, direction=rules.direction)
    target = _target([judged[strategy.name] for strategy, _ in pairs], rules)
    verdicts: list[tuple[Interval | None, bool]] = list(zip(decision.differences, decision.may_be_best, strict=True))
    verdicts += [(None, False)] * len(shown)
    results = []
    for (strategy, rate), (difference, may_be_best) in zip([*pairs, *shown], verdicts, strict=True):
        runs = judged[strategy.name]
        response = responses.get(strategy.name)
        results.append(
            StrategyResult(
                strategy=strategy,
                ranked=difference is not None,
                base_lr=rate,
                runs=runs,
                scores=np.asarray([score(run, rules.metric) for run in runs]),
                difference=difference,
                may_be_best=may_be_best,
                steps_to_target=np.asarray([_steps_to(target, run, rules) for run in runs]),
                tuning_steps=_tuning_steps(response, terms),
                response=None if response is None else response.record(terms.tuning_seeds),
            )
        )
    sign = -1.0 if rules.direction == "max" else 1.0
    ordered = sorted(results, key=lambda result: (not result.ranked, sign * result.mean if result.ranked else 0.0))
    draft = Comparison(
        task=terms.task.name,
        optimizer=pairs[0][0].optimizer,
        metric=rules.metric,
        direction=rules.direction,
        budget=terms.budget,
        seeds=terms.seeds,
        tuning_seeds=terms.tuning_seeds,
        results=tuple(ordered),
        leader=pairs[decision.leader][0].name,
        alpha=rules.alpha,
        margin=rules.margin,
        resolution=decision.resolution,
        target=target,
        untrained=float(np.mean([r.results[f"initial_{rules.metric}"] for runs in judged.values() for r in runs])),
        recommendation=Recommendation("", 0.0, "", "", ""),
        lessons=(),
        cost=_cost(terms, ledger, seconds),
        settings=_settings(judged, rules),
    )
    return replace(draft, recommendation=recommend(draft), lessons=lessons(draft))


def _target(judged: Sequence[Sequence[Run]], rules: Rules) -> float:
    """The goal that half of the strategies reach at the end, on average over their seeds."""
    return float(np.median([np.mean([score(run, rules.goal) for run in runs]) for runs in judged]))


def _steps_to(target: float, run: Run, rules: Rules) -> float:
    """Updates until the goal first reached the target; nan if it never did."""
    values = run.evals.get(rules.goal, np.asarray([]))
    reached = np.flatnonzero(values >= target if rules.direction == "max" else values <= target)
    return float(run.evals["step"][reached[0]]) if len(reached) else float("nan")


def _tuning_steps(response: Response | None, terms: plan.Terms) -> int:
    if response is None:
        return 0
    return sum(run.outcome.step for runs in response.runs.values() for run in runs.values())


def _cost(terms: plan.Terms, ledger: Ledger, seconds: float) -> dict[str, float]:
    judging = ledger.stage_steps.get("judge", 0)
    steps = sum(ledger.stage_steps.values())
    return {
        "trials": ledger.trials,
        "reused": ledger.reused,
        "steps": steps,
        "tuning_steps": steps - judging,
        "judging_steps": judging,
        "seconds": seconds,
        "train_seconds": ledger.train_seconds,
    }


def _settings(judged: Mapping[str, Sequence[Run]], rules: Rules) -> dict[str, object]:
    """What reproduces the comparison, and what the decision rests on."""
    some = next(iter(judged.values()))[0]
    shared = {key: value for key, value in some.settings.items() if key not in ("optimizer_options",)}
    endings = [run.outcome.ending for runs in judged.values() for run in runs]
    return {
        **shared,
        "goal": rules.goal,
        "method": METHOD,
        "race_rates": list(rules.rates),
        "python": platform.python_version(),
        "diverged_runs": sum(ending is Ending.DIVERGED for ending in endings),
    }
