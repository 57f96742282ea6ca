"""A comparison as strict JSON: every figure of the report, without the curves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from stepwell.record.comparison import Comparison, RateResponse, StrategyResult
from stepwell.record.run import Run
from stepwell.view import words


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """The comparison as plain data for `json.dumps(..., allow_nan=False)`: what is not finite is None."""
    budget, advice = comparison.budget, comparison.recommendation
    found = {
        "answer": words.answer(comparison),
        "limits": words.limits(comparison),
        "split": words.split_note(comparison) or "judged on a test split that no choice used",
        "learned": comparison.learned,
        "task": comparison.task,
        "optimizer": comparison.optimizer,
        "metric": comparison.metric,
        "direction": comparison.direction,
        "budget": {"total_steps": budget.total_steps, "steps_per_epoch": budget.steps_per_epoch},
        "seeds": comparison.seeds,
        "tuning_seeds": comparison.tuning_seeds,
        "leader": comparison.leader,
        "best": [result.strategy.name for result in comparison.best],
        "alpha": comparison.alpha,
        "margin": comparison.margin,
        "resolution": comparison.resolution,
        "target": comparison.target,
        "untrained": comparison.untrained,
        "strategies": [_strategy(result, comparison) for result in comparison.results],
        "recommendation": {
            "strategy": advice.strategy,
            "base_lr": advice.base_lr,
            "schedule": advice.schedule,
            "code": advice.code,
            "reason": advice.reason,
        },
        "lessons": comparison.lessons,
        "cost": comparison.cost,
        "settings": comparison.settings,
    }
    return {key: strict(value) for key, value in found.items()}


def strict(value: object) -> Any:
    """The value as JSON has it: numpy becomes Python, what is not finite None, anything unknown its text."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    match value:
        case None | str() | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {str(key): strict(item) for key, item in value.items()}
        case list() | tuple():
            return [strict(item) for item in value]
        case _:
            return str(value)


def _strategy(result: StrategyResult, comparison: Comparison) -> dict[str, Any]:
    gap = result.difference
    return {
        "name": result.strategy.name,
        "schedule": result.strategy.schedule,
        "replaces": words.replaced(result.strategy) or None,
        "ranked": result.ranked,
        "base_lr": result.base_lr,
        "mean": result.mean,
        "scores": result.scores,
        "difference": None if gap is None else {"estimate": gap.estimate, "low": gap.low, "high": gap.high},
        "may_be_best": result.may_be_best,
        "verdict": words.verdict(result, comparison),
        "steps_to_target": result.steps_to_target,
        "tuning_steps": result.tuning_steps,
        "response": None if result.response is None else _response(result.response),
        "endings": words.endings(result),
        "runs": [_run(run) for run in result.runs],
    }


def _response(response: RateResponse) -> dict[str, Any]:
    return {
        "rates": response.rates,
        "scores": response.scores,
        "endings": [[ending.value for ending in row] for row in response.endings],
        "steps": response.steps,
        "good_low": response.good_low,
        "good_high": response.good_high,
        "width": response.width,
        "at_twice": response.at_twice,
    }


def _run(run: Run) -> dict[str, Any]:
    outcome = run.outcome
    return {
        "id": run.id,
        "seed": run.seed,
        "ending": outcome.ending.value,
        "steps": outcome.step,
        "words": outcome.words,
        "results": run.results,
    }
