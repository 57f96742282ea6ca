"""When cards come back: the FSRS scheduler, replayed over the recorded ratings.

Nothing but the ratings is stored: a better scheduler can replay them, and two processes cannot disagree.

Reference: Ye et al. 2022, A Stochastic Shortest Path Algorithm for Optimizing Spaced Repetition Scheduling.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from stepwell.errors import MissingExtraError
from stepwell.learn.attempt import Attempt
from stepwell.learn.items.card import Rating
from stepwell.learn.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Memory:
    """What is expected of a card.

    Args:
        due: when it should be seen again, in seconds since 1970.
        stability: days until it is still known with nine chances in ten; None before its first interval.
        reviews: how often it was rated.
    """

    due: float
    stability: float | None
    reviews: int


def memories(attempts: Iterable[Attempt]) -> dict[str, Memory]:
    """Item -> memory, for every card that was rated.

    Raises:
        MissingExtraError: fsrs is not installed.
    """
    try:
        import fsrs
    except ImportError as error:
        raise MissingExtraError("fsrs", "learn", "spacing cards") from error
    # Fuzzing would give another date at every replay.
    scheduler = fsrs.Scheduler(enable_fuzzing=False)
    cards: dict[str, fsrs.Card] = {}
    counts: dict[str, int] = {}
    for attempt in attempts:
        rating = _rating(attempt)
        if rating is None:
            continue
        at = datetime.fromtimestamp(attempt.time, UTC)
        card = cards.get(attempt.item) or fsrs.Card(card_id=len(cards) + 1, due=at)  # without an id it waits for one
        cards[attempt.item], _ = scheduler.review_card(card, fsrs.Rating[rating.name.title()], at)
        counts[attempt.item] = counts.get(attempt.item, 0) + 1
    return {item: Memory(card.due.timestamp(), card.stability, counts[item]) for item, card in cards.items()}


def due(known: Mapping[str, Memory], cards: Iterable[str], now: float) -> list[str]:
    """The cards that were rated and are due, the longest due first; a card that was never rated is new, not due."""
    late = [item for item in cards if item in known and known[item].due <= now]
    return sorted(late, key=lambda item: known[item].due)


def due_or_new(known: Mapping[str, Memory], cards: Iterable[str], now: float) -> list[str]:
    """The cards that are due, then the new ones in their own order."""
    cards = list(cards)
    return due(known, cards, now) + [item for item in cards if item not in known]


def _rating(attempt: Attempt) -> Rating | None:
    if attempt.verdict is not Verdict.UNGRADED or not isinstance(attempt.answer, str):
        return None
    return Rating(attempt.answer)
