"""Chooses the items of a sitting: by mode, topics, level, a seed, and what was answered before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from stepwell.errors import OptionError
from stepwell.learn.course import Course, Item
from stepwell.learn.instance import Instance, instance
from stepwell.learn.items.card import Card
from stepwell.learn.items.explain import Explain
from stepwell.learn.levels import Difficulty, Level
from stepwell.learn.memory import Memory, due, due_or_new
from stepwell.learn.modes import Mode
from stepwell.learn.page import Block
from stepwell.learn.session.rules import RULES, TIMER_SECONDS, TIMERS, Rules
from stepwell.learn.verdict import Verdict

MOST_CARDS = 20
"""Cards of one sitting."""
NAMED = 8
"""Topics that a message names."""
RECALLS = 2
"""Cards at the end of a page."""

_ORDER = tuple(Difficulty)


@dataclass(frozen=True, slots=True)
class Plan:
    """A sitting before it begins.

    Args:
        id: the sitting's, under which its answers are recorded.
        seed: what drew it.
        items: in the order in which they come.
        page: what is read first; empty except in learn.
        title: of the page's topic.
        limit: seconds for each item before overtime; None where there is no timer.
    """

    id: str
    mode: Mode
    seed: int
    items: tuple[Instance, ...]
    page: tuple[Block, ...] = ()
    title: str = ""
    limit: float | None = None

    @property
    def rules(self) -> Rules:
        """The mode's."""
        return RULES[self.mode]


@dataclass(frozen=True, slots=True)
class Wish:
    """What the learner asks for.

    Args:
        topics: ids; empty for all.
        timer: a name of `TIMERS`; only for modes with a timer.
        new: whether new cards follow those that are due; only for recall.
    """

    mode: Mode
    topics: tuple[str, ...] = ()
    level: Level | None = None
    seed: int = 0
    timer: str = "x1"
    new: bool = True


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of the learner: the last verdicts, and what is expected of cards at `now`."""

    verdicts: Mapping[str, Verdict]
    memories: Mapping[str, Memory]
    now: float


def plan(course: Course, wish: Wish, past: Past, session: str) -> Plan:
    """The sitting that a learner asks for; the same wish, past and course give the same one.

    Raises:
        OptionError: an unknown topic or timer, or there is nothing to do.
    """
    rules = RULES[wish.mode]
    if wish.timer not in TIMERS:
        raise OptionError(f"the timer is one of {', '.join(TIMERS)}, got {wish.timer!r}")
    topics = [course.topic(name) for name in wish.topics] or list(course.topics)
    if rules.topics is not None and len(wish.topics) != rules.topics:
        raise OptionError(
            f"the mode {wish.mode} is about one topic, got {len(wish.topics)}; "
            f"name one, such as --topic {course.topics[0].id}"
        )
    fitting = [item for topic in topics for item in topic.items if _fits(item, wish)]
    draw = Random(f"{wish.mode}/{wish.seed}")
    chosen = (
        _recalled(fitting, wish, past) if wish.mode is Mode.RECALL else _chosen(fitting, wish.mode, rules, past, draw)
    )
    page = topics[0].page if wish.mode is Mode.LEARN else ()
    if not chosen and not page:
        raise OptionError(_nothing(wish, course))
    items = tuple(instance(item, draw.randrange(2**31)) for item in chosen)
    factor = TIMERS[wish.timer] if rules.timed else None
    limit = None if factor is None else TIMER_SECONDS * factor
    return Plan(session, wish.mode, wish.seed, items, page, topics[0].title if page else "", limit)


def _fits(item: Item, wish: Wish) -> bool:
    return wish.mode in item.modes and (wish.level is None or item.level is wish.level)


def _recalled(items: Sequence[Item], wish: Wish, past: Past) -> list[Item]:
    cards = {item.id: item for item in items}
    named = (due_or_new if wish.new else due)(past.memories, cards, past.now)
    return [cards[name] for name in named[:MOST_CARDS]]


def _chosen(items: Sequence[Item], mode: Mode, rules: Rules, past: Past, draw: Random) -> list[Item]:
    if mode is Mode.LEARN:
        cards_first = [item for item in items if isinstance(item.body, Card)]
        told = [item for item in items if isinstance(item.body, Explain)]
        return _least_known(cards_first, past, draw)[:RECALLS] + _least_known(told, past, draw)[:1]
    if rules.counts is None:
        return _from_easy(items)
    return _from_easy(_by_difficulty(items, rules.counts, past, draw))


def _by_difficulty(items: Sequence[Item], counts: Mapping[Difficulty, int], past: Past, draw: Random) -> list[Item]:
    """As many of each difficulty as the mode wants; where there are too few, others take their places."""
    chosen: list[Item] = []
    for difficulty, count in counts.items():
        chosen += _least_known([item for item in items if item.difficulty is difficulty], past, draw)[:count]
    rest = _least_known([item for item in items if item not in chosen], past, draw)
    return chosen + rest[: sum(counts.values()) - len(chosen)]


def _least_known(items: Iterable[Item], past: Past, draw: Random) -> list[Item]:
    """What was answered wrongly first, then what is new, then the rest; drawn within each."""
    drawn = sorted(items, key=lambda item: item.id)
    draw.shuffle(drawn)

    def known(item: Item) -> int:
        verdict = past.verdicts.get(item.id)
        return 1 if verdict is None else 2 if verdict is Verdict.RIGHT else 0

    return sorted(drawn, key=known)


def _from_easy(items: Iterable[Item]) -> list[Item]:
    return sorted(items, key=lambda item: _ORDER.index(item.difficulty))


def _nothing(wish: Wish, course: Course) -> str:
    if wish.mode is Mode.RECALL and any(Mode.RECALL in item.modes for item in course.items):
        return "no card is due now; come back later, or practise: stepwell learn quiz --mode practice"
    about = f" of the level {wish.level}" if wish.level else ""
    where = f" in {', '.join(wish.topics)}" if wish.topics else ""
    there = [topic.id for topic in course.topics if any(_fits(item, wish) for item in topic.items)]
    others = "choose another mode" + (" or level" if wish.level else "")
    if there:
        more = f" and {len(there) - NAMED} more" if len(there) > NAMED else ""
        others = f"topics that have some: {', '.join(there[:NAMED])}{more}"
    return f"there is nothing{about} for the mode {wish.mode}{where}; {others}"
