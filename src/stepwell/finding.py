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
