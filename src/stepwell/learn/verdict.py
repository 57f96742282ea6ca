"""What can come of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """An answer is right only where that was checked."""

    RIGHT = "right"
    WRONG = "wrong"
    TIMED_OUT = "timed out"  # the learner's program did
    CRASHED = "crashed"  # the learner's program did, or raised
    COULD_NOT_CHECK = "could not check"  # nothing is known about the answer, and it does not count
    UNGRADED = "not graded"  # cards and explanations, which the learner judges

    @property
    def counts(self) -> bool:
        """Whether an attempt was used up."""
        return self not in (Verdict.COULD_NOT_CHECK, Verdict.UNGRADED)


@dataclass(frozen=True, slots=True)
class Graded:
    """A verdict and what it rests on.

    Args:
        score: from 0 to 1.
        words: what the learner is told about this answer once the item is over.
        evidence: plain data: what was measured and compared.
        solution: what is right, in the form in which answers come; None where it is not known.
        so_far: what is told while attempts are left; nothing in it tells the key.
    """

    verdict: Verdict
    score: float = 0.0
    words: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    solution: Any = None
    so_far: str = ""
