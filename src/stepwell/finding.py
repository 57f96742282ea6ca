"""One complaint: what is wrong, where, the numbers that show it, and the cure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad: an error spoils the run, a warning probably does, information is worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the catalogue: what a code means, whatever the place."""

    title: str
    severity: Severity
    cure: str


CATALOGUE: dict[str, Entry] = {
    "SW101": Entry(
        "the run is longer than its schedule",
        Severity.WARNING,
        "pass the real total_steps, or end the schedule with `| hold`",
    ),
    "SW102": Entry(
        "the first update has a rate of 0",
        Severity.WARNING,
        "write the warm-up `0..1`, which is read at the right edge of its steps, without `@left`",
    ),
    "SW103": Entry(
        "the rate jumps where one phase ends and the next begins",
        Severity.WARNING,
        "begin the next phase with `to`, so that it goes on from where the one before ended",
    ),
    "SW104": Entry(
        "the run ends before the rate has come down",
        Severity.WARNING,
        "leave the clock (`over`) of the last phase away, or give the run the length of the schedule",
    ),
    "SW105": Entry(
        "the rate rises again after it had come down",
        Severity.WARNING,
        "end the schedule at its low; if cycles are meant, write them as `repeat (...)`",
    ),
    "SW106": Entry(
        "a part of the run trains nothing, its rate is 0 throughout",
        Severity.WARNING,
        "let what comes before take these steps too (as without `over`, or without a phase that holds 0), "
        "or hold a rate above 0",
    ),
    "SW107": Entry(
        "a part of max(...) is never the largest",
        Severity.INFO,
        "leave that part away, or check its value: a floor is a factor of the base rate, not a rate",
    ),
    "SW108": Entry(
        "the warm-up takes a large share of the run",
        Severity.WARNING,
        "shorten the warm-up, such as `for 5%`, or lengthen the run",
    ),
    "SW109": Entry(
        "the schedule goes on beyond the run",
        Severity.WARNING,
        "write places and lengths in shares of the run (`50%`), or pass the real total_steps",
    ),
    "SW110": Entry(
        "other code changes the rate of a scheduled optimizer",
        Severity.WARNING,
        "take the other scheduler or the assignment out; change the plan with replace(), cool_down() or rewarm()",
    ),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One complaint with its evidence. The catalogue holds what the code means and the general cure.

    Args:
        code: a key of `CATALOGUE`.
        place: where: `step 620`, `train.py:14`.
        message: one sentence with the numbers.
        evidence: the numbers themselves, by name.
    """

    code: str
    place: str
    message: str
    evidence: tuple[tuple[str, float], ...] = ()

    @property
    def severity(self) -> Severity:
        """From the catalogue."""
        return CATALOGUE[self.code].severity

    @property
    def cure(self) -> str:
        """From the catalogue."""
        return CATALOGUE[self.code].cure

    def __str__(self) -> str:
        return f"{self.code} at {self.place}: {self.message}; {self.cure}"
