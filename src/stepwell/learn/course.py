"""The course as plain data: topics, their pages and their items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stepwell.errors import OptionError
from stepwell.learn.claims import Claim
from stepwell.learn.items.body import Body
from stepwell.learn.levels import Difficulty, Level
from stepwell.learn.modes import Mode
from stepwell.learn.page import Block
from stepwell.learn.parameters import Parameters
from stepwell.learn.proof import Frame, Proof


@dataclass(frozen=True, slots=True)
class Series:
    """A line of a picture: its label, and the measured numbers it shows."""

    label: str
    values: Claim


@dataclass(frozen=True, slots=True)
class QuickCheck:
    """A question for after the answer, which nobody grades, and its answer."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Item:
    """One question, card or task. Texts are templates; `instance` fills them.

    Args:
        id: `topic/name`, unique in the course.
        body: what is particular to its type, the options and claims among it.
        proof: what is run to derive the key; None for cards and explanations that need none.
        frame: the run that its schedules are laid over.
        facts: claims that must hold besides the key: what the texts say.
        show: drawn with the question.
        reveal: drawn with the verdict.
        seconds: the time that it should take.
        attempts: how many answers count; 0 is without end.
        place: the file, for messages.
    """

    id: str
    topic: str
    level: Level
    difficulty: Difficulty
    question: str
    body: Body
    proof: Proof | None
    frame: Frame | None
    parameters: Parameters
    hints: tuple[str, ...]
    steps: tuple[str, ...]
    check: QuickCheck | None
    mistakes: tuple[str, ...]
    explanation: str
    facts: tuple[Claim, ...]
    show: tuple[Series, ...]
    reveal: tuple[Series, ...]
    seconds: int
    attempts: int
    modes: frozenset[Mode]
    place: str


@dataclass(frozen=True, slots=True)
class Topic:
    """A folder of the course.

    Args:
        id: the folder's name.
        minutes: the time that the whole of it takes.
        order: topics are listed by it.
        prerequisites: ids of topics that come before.
        page: the concept page, block by block.
    """

    id: str
    title: str
    summary: str
    minutes: int
    order: int
    prerequisites: tuple[str, ...]
    page: tuple[Block, ...]
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """Topics in their order.

    Args:
        folder: where they are, if that is not the built-in course.
    """

    topics: tuple[Topic, ...]
    folder: Path | None = None

    @property
    def items(self) -> Iterator[Item]:
        """Every item, topic by topic."""
        for topic in self.topics:
            yield from topic.items

    def topic(self, name: str) -> Topic:
        """The topic of this id.

        Raises:
            OptionError: there is none.
        """
        for topic in self.topics:
            if topic.id == name:
                return topic
        raise OptionError(f"there is no topic {name!r}; topics: {', '.join(topic.id for topic in self.topics)}")

    def item(self, name: str) -> Item:
        """The item of this id.

        Raises:
            OptionError: there is none.
        """
        for item in self.items:
            if item.id == name:
                return item
        raise OptionError(f"there is no item {name!r}; see all: stepwell learn list")
