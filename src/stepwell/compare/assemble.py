"""From judged runs to the plain record of a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from stepwell.compare.decide import METHOD, decide
from stepwell.compare.ledger import Ledger
from stepwell.compare.lesson import lessons
from stepwell.compare.plan import Terms
from stepwell.compare.recommend import recommend
from stepwell.compare.response import Response, score, worst
from stepwell.record.comparison import Array, Comparison, Interval, RateResponse, Recommendation, StrategyResult
from stepwell.record.run import Ending, Run
from stepwell.record.trial import Strategy


@dataclass(frozen=True, slots=True)
class Rules:
    """How the comparison is decided, and on what.

    Args:
        goal: the validation metric that tuning looks at, such as `val_loss`.
        metric: the metric of the decision, such as `test_loss`; the goal itself where there is no test split.
        direction: which way both are better.
        rates: the grid of the search; one rate alone is used as it is, without tuning.
        widen: whether the search is automatic, and goes on beyond the grid where the best rate lies on its edge.
        alpha, margin: see `decide`.
        has_groups: whether the task gives parameter groups of its own, which pasted code must mention.
    """

    goal: str
    metric: str
    direction: Literal["min", "max"]
    rates: tuple[float, ...]
    widen: bool
    alpha: float = 0.05
    margin: float = 0.0
    has_groups: bool = False


@dataclass(frozen=True, slots=True)
class Tuning:
    """The runs that chose the rates, by strategy, from the shortest to those at full length.

    Empty where one rate was given.
    """

    legs: Mapping[str, Sequence[Response]]

    def record(self, name: str, seeds: Sequence[int]) -> RateResponse | None:
        """How the short runs of a strategy depend on the rate, as plain data."""
        if name not in self.legs:
            return None
        *_, short, full = self.legs[name]
        return short.record(seeds, full)

    def steps(self, name: str) -> int:
        """Updates made to find the rate of a strategy."""
        legs = self.legs.get(name, ())
        made = {run.id: run.outcome.step for leg in legs for runs in leg.runs.values() for run in runs.values()}
        return sum(made.values())


def assemble(
    terms: Terms,
    rules: Rules,
    ledger: Ledger,
    pairs: Sequence[tuple[Strategy, float]],
    shown: Sequence[tuple[Strategy, float]],
    judged: Mapping[str, tuple[Run, ...]],
    tuning: Tuning,
    seconds: float,
) -> Comparison:
    """The comparison: scores, the decision, steps to the target, the recommendation and the lessons.

    Args:
        terms: what all trials had in common.
        rules: how it is decided.
        ledger: what it cost.
        pairs: the ranked strategies with the rate of each.
        shown: the illustrations with theirs.
        judged: the runs of each by name, in the order of the judging seeds.
        tuning: how the rates were found.
        seconds: wall time.
    """
    scores = _scores(pairs, shown, judged, rules)
    decision = decide(scores[: len(pairs)], alpha=rules.alpha, margin=rules.margin, direction=rules.direction)
    target = _target([judged[strategy.name] for strategy, _ in pairs], rules)
    verdicts: list[tuple[Interval | None, bool]] = list(zip(decision.differences, decision.may_be_best, strict=True))
    verdicts += [(None, False)] * len(shown)
    results = []
    for (strategy, rate), row, (difference, may_be_best) in zip([*pairs, *shown], scores, verdicts, strict=True):
        runs = judged[strategy.name]
        results.append(
            StrategyResult(
                strategy=strategy,
                ranked=difference is not None,
                base_lr=rate,
                runs=runs,
                scores=row,
                difference=difference,
                may_be_best=may_be_best,
                steps_to_target=np.asarray([_steps_to(target, run, rules) for run in runs]),
                tuning_steps=tuning.steps(strategy.name),
                response=tuning.record(strategy.name, terms.tuning_seeds),
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


def _scores(
    pairs: Sequence[tuple[Strategy, float]],
    shown: Sequence[tuple[Strategy, float]],
    judged: Mapping[str, Sequence[Run]],
    rules: Rules,
) -> Array:
    """The decision metric, shape (strategies, seeds), the illustrations last.

    A run that diverged counts as the untrained network, or as the worst run of a ranked strategy on its seed that did
    not diverge, whichever is worse.
    """
    ranked = zip(*(judged[strategy.name] for strategy, _ in pairs), strict=True)
    floors = [worst(runs, rules.metric, rules.direction) for runs in ranked]
    return np.asarray(
        [
            [
                score(run, rules.metric, rules.direction, floor)
                for run, floor in zip(judged[one.name], floors, strict=True)
            ]
            for one, _ in [*pairs, *shown]
        ]
    )


def _target(judged: Sequence[Sequence[Run]], rules: Rules) -> float:
    """The goal that half of the strategies reach at the end, on average over their seeds; nan if no run learned."""
    if not any(run.outcome.ending is Ending.FINISHED for runs in judged for run in runs):
        return float("nan")
    return float(np.median([np.mean([score(run, rules.goal, rules.direction) for run in runs]) for runs in judged]))


def _steps_to(target: float, run: Run, rules: Rules) -> float:
    """Updates until an evaluation first showed the target; nan if none did, or if the run diverged in the end.

    The untrained network arrives nowhere: its evaluation does not count.
    """
    if run.outcome.ending is Ending.DIVERGED or rules.goal not in run.evals:
        return float("nan")
    values, steps = run.evals[rules.goal], run.evals["step"]
    reached = steps[(steps > 0) & (values >= target if rules.direction == "max" else values <= target)]
    return float(reached[0]) if len(reached) else float("nan")


def _cost(terms: Terms, ledger: Ledger, seconds: float) -> dict[str, float]:
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
        "tuning": "none" if len(rules.rates) == 1 else "auto" if rules.widen else "list",
        "race_rates": list(rules.rates),
        "parameter_groups": rules.has_groups,
        "diverged_runs": sum(ending is Ending.DIVERGED for ending in endings),
    }
