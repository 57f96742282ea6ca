"""What a learner does, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

from stepwell.errors import AnswerError


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to the item, with how sure the learner is, from 0 to 1."""

    answer: Any
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Hint:
    """Asks for the next hint."""


@dataclass(frozen=True, slots=True)
class Reveal:
    """Turns a card over, or shows the concepts of an explanation that is written: `text`."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Next:
    """Goes on: from the page, from a verdict."""


@dataclass(frozen=True, slots=True)
class Skip:
    """Gives the item up and shows what is right."""


@dataclass(frozen=True, slots=True)
class Quit:
    """Ends the sitting; what was answered stays."""


Event: TypeAlias = Answer | Hint | Reveal | Next | Skip | Quit


def read(event: Mapping[str, Any]) -> Event:
    """The event of a JSON table: `{"do": "answer", "answer": 2, "confidence": 0.8}`, `{"do": "hint"}` and so on.

    Raises:
        AnswerError: it is none.

    Example:
        >>> read({"do": "answer", "answer": 2})
        Answer(answer=2, confidence=None)
    """
    if not isinstance(event, Mapping):
        _refuse(event)
    match dict(event):
        case {"do": "answer", "answer": answer, **rest} if rest.keys() <= {"confidence"}:
            return Answer(answer, _confidence(rest.get("confidence")))
        case {"do": "reveal", **rest} if rest.keys() <= {"text"}:
            text = rest.get("text", "")
            return Reveal(text) if isinstance(text, str) else _refuse(event)
        case {"do": "hint", **rest} if not rest:
            return Hint()
        case {"do": "next", **rest} if not rest:
            return Next()
        case {"do": "skip", **rest} if not rest:
            return Skip()
        case {"do": "quit", **rest} if not rest:
            return Quit()
    return _refuse(event)


def _confidence(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise AnswerError(f"a confidence is a number from 0 to 1, got {value!r:.40}")
    return float(value)


def _refuse(event: Any) -> NoReturn:
    form = '{"do": "answer", "answer": ...}, or one with "do" hint, reveal, next, skip or quit'
    raise AnswerError(f"an event is {form}, got {event!r:.100}")
