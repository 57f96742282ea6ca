"""What every type of item can do: the protocol, and what judging gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NoReturn, Protocol, Self, TypeVar

from stepwell.errors import AnswerError
from stepwell.learn.claims import Claim
from stepwell.learn.fields import Fields
from stepwell.learn.modes import Mode

Names = Mapping[str, Any]
"""Parameters and measured values."""

Part = TypeVar("Part")

QUESTIONS = frozenset({Mode.PRACTICE, Mode.CHALLENGE, Mode.TEST, Mode.PREDICT})


@dataclass(frozen=True, slots=True)
class Judged:
    """How an answer compares with the key.

    Args:
        right: whether it counts as right.
        score: from 0 to 1; what is not simply right or wrong has a score between.
        words: what the learner is told about this answer once the item is over.
        evidence: plain data for a front end: what was measured and compared.
        so_far: what is told while attempts are left: at most how much is right, never what.
    """

    right: bool
    score: float
    words: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    so_far: str = ""


class Body(Protocol):
    """A type of item. Bodies are frozen; their texts are templates."""

    kind: ClassVar[str]
    modes: ClassVar[frozenset[Mode]]  # in which it may appear
    default_modes: ClassVar[frozenset[Mode]]  # in which it does where the item does not say
    attempts: ClassVar[int]  # how many answers count where the item does not say

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """The body of an item's fields.

        Raises:
            ContentError: a field is missing, unknown or wrong.
        """
        ...

    @property
    def parts(self) -> int:
        """How many parts are shuffled; 0 where nothing is."""
        ...

    def claims(self) -> Iterable[Claim]:
        """Every claim that the key rests on."""
        ...

    def face(self, names: Names, order: Sequence[int]) -> dict[str, Any]:
        """What the learner sees besides the question, as plain data; nothing in it tells the key."""
        ...


class Keyed(Body, Protocol):
    """A type whose answers are compared with a key."""

    def key(self, names: Names) -> Any:
        """What is right, derived from what was measured, in the order of the content.

        Raises:
            ContentError: the measured values do not decide.
        """
        ...

    def solution(self, key: Any, names: Names, order: Sequence[int]) -> Any:
        """The answer that is right, in the form in which answers come."""
        ...

    def judge(self, key: Any, answer: Any, names: Names, order: Sequence[int]) -> Judged:
        """How an answer compares with the key.

        Raises:
            AnswerError: the answer is not of the form that this type takes.
        """
        ...


def expect(kind: str, form: str, answer: object) -> NoReturn:
    """Raise the AnswerError for an answer of the wrong form."""
    raise AnswerError(f"an answer to a {kind} item is {form}, got {answer!r:.80}")


def place(kind: str, answer: object, count: int) -> int:
    """An answer that is one of `count` places, from 0."""
    if isinstance(answer, bool) or not isinstance(answer, int) or not 0 <= answer < count:
        expect(kind, f"the number of a shown part, 0 to {count - 1}", answer)
    return answer


def places(kind: str, answer: object, count: int) -> list[int]:
    """An answer that lists different places, from 0."""
    if not isinstance(answer, list | tuple):
        expect(kind, "a list of numbers of shown parts", answer)
    found = [place(kind, one, count) for one in answer]
    if len(set(found)) < len(found):
        expect(kind, "a list in which no number is twice", answer)
    return found


def ordering(kind: str, answer: object, count: int) -> list[int]:
    """An answer that lists every place once."""
    found = places(kind, answer, count)
    if len(found) < count:
        expect(kind, f"a list of all {count} shown parts", answer)
    return found


def shuffled(parts: Sequence[Part], order: Sequence[int]) -> list[Part]:
    """The parts as they are shown: part `order[n]` at place n."""
    return [parts[number] for number in order]
