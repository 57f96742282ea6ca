"""A search for a rate as strict JSON: the answer and what it rests on, with the curve of a range test alone."""

from __future__ import annotations

from typing import Any

from stepwell.record.suggestion import LrSuggestion, Probe, RangeTest
from stepwell.view import suggestion_words as words
from stepwell.view.summary import strict


def suggestion_json(suggestion: LrSuggestion) -> dict[str, Any]:
    """The search as plain data for `json.dumps(..., allow_nan=False)`: what is not finite is None."""
    found = {
        "lr": suggestion.lr,
        "verdict": suggestion.verdict.value,
        "basis": suggestion.basis,
        "words": suggestion.words,
        "low": suggestion.low,
        "high": suggestion.high,
        "edge": suggestion.edge,
        "spread": suggestion.spread,
        "tolerance": suggestion.tolerance,
        "moved": suggestion.moved,
        "spent": suggestion.spent,
        "budget": suggestion.budget,
        "seeds": suggestion.seeds,
        "ratios": suggestion.ratios,
        "initial": suggestion.initial,
        "task": suggestion.task,
        "optimizer": suggestion.optimizer,
        "schedule": suggestion.schedule,
        "metric": suggestion.metric,
        "code": suggestion.code,
        "rates": [
            {
                "lr": row.rate,
                "steps": row.steps,
                "seeds": row.seeds,
                "score": row.score,
                "fate": row.fate,
                "place": row.place or None,
            }
            for row in words.rate_rows(suggestion)
        ],
        "runs": [_run(probe) for probe in suggestion.probes],
        "sweep": None if suggestion.sweep is None else _sweep(suggestion.sweep),
    }
    return {key: strict(value) for key, value in found.items()}


def _run(probe: Probe) -> dict[str, Any]:
    return {
        "lr": probe.lr,
        "seed": probe.seed,
        "stage": probe.stage,
        "steps": probe.steps,
        "made": len(probe.losses),
        "score": probe.score,
        "train": probe.train,
        "val": probe.val,
        "fate": probe.fate.value,
        "words": probe.words,
    }


def _sweep(sweep: RangeTest) -> dict[str, Any]:
    return {"rates": sweep.rates, "losses": sweep.losses, "suggestions": sweep.suggestions}
