"""What recorded answers say about a learner: mastery, badges, calibration. Pure functions of attempts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from stepwell.learn.attempt import Attempt
from stepwell.learn.modes import Mode
from stepwell.learn.verdict import Verdict

CHALLENGE = 5
"""Problems of a challenge, all of which have to be right for its badge."""
STRONG_SHARE = 0.8
STRONG_FROM = 3
"""Items that have to be answered before a topic can be called strong."""


@dataclass(frozen=True, slots=True)
class Mastery:
    """How much of what was answered is right now; an item counts as its last answer.

    Args:
        right: items whose last answer was right.
        of: items that were answered.
    """

    right: int
    of: int

    @property
    def strong(self) -> bool | None:
        """Whether the topic is strong; None while too little was answered to say."""
        return None if self.of < STRONG_FROM else self.right >= STRONG_SHARE * self.of

    def __str__(self) -> str:
        return f"{self.right} of {self.of}"


@dataclass(frozen=True, slots=True)
class Badge:
    """All problems of a challenge were right.

    Args:
        topics: what they were about.
        time: of the last answer, in seconds since 1970.
        within_time: whether every answer came before the timer, where it was on.
    """

    session: str
    topics: tuple[str, ...]
    time: float
    within_time: bool


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of about the same confidence: how sure the learner was, and how often that was right.

    Args:
        confidence: the mean of the answers in it.
        right: the share of them that was right.
        count: how many.
    """

    confidence: float
    right: float
    count: int


def mastery(attempts: Iterable[Attempt]) -> dict[str, Mastery]:
    """Topic -> mastery, for every topic with an answer that counts."""
    last = {attempt.item: attempt for attempt in attempts if attempt.verdict.counts}
    found: dict[str, Mastery] = {}
    for attempt in last.values():
        before = found.get(attempt.topic, Mastery(0, 0))
        found[attempt.topic] = Mastery(before.right + (attempt.verdict is Verdict.RIGHT), before.of + 1)
    return found


def badges(attempts: Iterable[Attempt]) -> list[Badge]:
    """The badges that recorded answers give, in the order in which they were won.

    Args:
        attempts: every answer ever given: who begins an item anew keeps what was won with it.
    """
    sessions: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        if attempt.mode is Mode.CHALLENGE:
            sessions.setdefault(attempt.session, []).append(attempt)
    won = []
    for session, answers in sessions.items():
        last = {attempt.item: attempt for attempt in answers}
        if len(last) == CHALLENGE and all(attempt.verdict is Verdict.RIGHT for attempt in last.values()):
            topics = tuple(dict.fromkeys(attempt.topic for attempt in answers))
            within_time = all(attempt.overtime == 0 for attempt in answers)
            won.append(Badge(session, topics, max(attempt.time for attempt in answers), within_time))
    return sorted(won, key=lambda badge: badge.time)


def calibration(attempts: Iterable[Attempt], bins: int = 5) -> list[Bin]:
    """Confidence against correctness, for the answers that came with a confidence; empty bins are left out."""
    sorted_in: dict[int, list[Attempt]] = {}
    for attempt in attempts:
        if attempt.confidence is not None and attempt.verdict.counts:
            sorted_in.setdefault(min(int(attempt.confidence * bins), bins - 1), []).append(attempt)
    return [_bin(sorted_in[number]) for number in sorted(sorted_in)]


def last_verdicts(attempts: Iterable[Attempt]) -> Mapping[str, Verdict]:
    """Item -> the verdict on its last answer that counts."""
    return {attempt.item: attempt.verdict for attempt in attempts if attempt.verdict.counts}


def _bin(attempts: Sequence[Attempt]) -> Bin:
    right = sum(attempt.verdict is Verdict.RIGHT for attempt in attempts)
    mean = sum(attempt.confidence or 0.0 for attempt in attempts) / len(attempts)
    return Bin(mean, right / len(attempts), len(attempts))
