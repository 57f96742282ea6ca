"""An answer as it is recorded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from stepwell.learn.modes import Mode
from stepwell.learn.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Attempt:
    """One answer to one item. Attempts are added and never changed.

    Args:
        time: when it was answered, in seconds since 1970 (UTC).
        session: which sitting it belongs to.
        seed: with which the item was shown.
        number: 1 for the first answer of a sitting to this item.
        answer: plain data.
        score: from 0 to 1.
        hints: how many were shown before the answer.
        seconds: from the question to the answer.
        overtime: of them, those beyond the timer; 0 where it was off.
        confidence: from 0 to 1; None where none was asked for.
        evidence: plain data: what was measured and compared.
    """

    time: float
    session: str
    mode: Mode
    item: str
    topic: str
    seed: int
    number: int
    answer: Any
    verdict: Verdict
    score: float
    hints: int
    seconds: float
    overtime: float
    confidence: float | None
    evidence: Any


def as_typed(attempt: Attempt) -> Any:
    """The answer with the places of options, pieces, labels and concepts counted from 1, as they are shown and typed.

    In an `Attempt` they count from 0. A number that is no place, such as a rate, stays as it is.
    """
    match attempt.answer:
        case {"text": text, "ticks": ticks}:
            return {"text": text, "ticks": [place + 1 for place in ticks]}
        case [int(), *_] as places if all(isinstance(place, int) for place in places):
            return [place + 1 for place in places]
        case int() as place if "allowed" not in attempt.evidence:  # only a measured number has a tolerance
            return place + 1
    return attempt.answer


def strict(value: Any) -> Any:
    """Plain data as strict JSON has it: numbers that are not finite become None, lists instead of tuples.

    Example:
        >>> strict({"losses": (1.0, float("inf"))})
        {'losses': [1.0, None]}
    """
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {str(name): strict(part) for name, part in value.items()}
        case list() | tuple():
            return [strict(part) for part in value]
    return value
