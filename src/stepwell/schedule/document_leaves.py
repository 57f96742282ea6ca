"""The leaves of a schedule document: every reader takes what was found and its place, and says what it expected."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from stepwell.errors import ScheduleError
from stepwell.schedule.length import Length
from stepwell.schedule.schedule import Side, Value
from stepwell.schedule.table import Values
from stepwell.schedule.tokens import Tokens


def _wrong(expected: str, found: object, place: str) -> ScheduleError:
    return ScheduleError(f"{place}: expected {expected}, got {found!r:.60}")


def object_at(found: Any, place: str) -> Mapping[str, Any]:
    """A JSON object."""
    if not isinstance(found, Mapping):
        raise _wrong("an object", found, place)
    return found


def members(found: Any, place: str) -> list[tuple[Any, str]]:
    """What a JSON array holds, each with its place."""
    if not isinstance(found, list):
        raise _wrong("an array", found, place)
    return [(member, f"{place}[{index}]") for index, member in enumerate(found)]


def known_keys(document: Mapping[str, Any], known: Collection[str], place: str) -> None:
    """Refuse keys that would be ignored."""
    for key in document:
        if key not in known:
            raise ScheduleError(f"{place}: unknown key {key!r:.60}; known keys: {', '.join(known)}")


def kind(document: Mapping[str, Any], kinds: Collection[str], place: str) -> str:
    """The kind of a node."""
    found = document.get("kind")
    if not isinstance(found, str) or found not in kinds:
        raise _wrong(f"one of {', '.join(kinds)}", found, f"{place}.kind")
    return found


def word(found: Any, place: str) -> str:
    """A text."""
    if not isinstance(found, str):
        raise _wrong("a text", found, place)
    return found


def side(found: Any, place: str) -> Side:
    """`left` or `right`."""
    if found == "left":
        return "left"
    if found == "right":
        return "right"
    raise _wrong("'left' or 'right'", found, place)


def number(found: Any, place: str) -> float:
    """A finite number; a text that reads as one is none."""
    if type(found) in (int, float) and abs(found) < 2**1023 and math.isfinite(found):
        return float(found)
    raise _wrong("a finite number", found, place)


def whole(found: Any, place: str) -> int:
    """A whole number."""
    if type(found) is not int:
        raise _wrong("a whole number", found, place)
    return found


def value(found: Any, place: str) -> Value:
    """A factor, or `"=1e-5"` for an absolute value."""
    if type(found) in (int, float):
        plain = number(found, place)
        with errors_at(place):
            return Value(plain)
    if isinstance(found, str) and found.startswith("="):
        with errors_at(place):
            tokens = Tokens(found)
            read = tokens.value()
        if tokens.kind == "end":
            return read
    raise _wrong("a number, a text such as '=1e-5', or an object", found, place)


def length(found: Any, place: str) -> Length:
    """A length in its text form; whether it may be 0 is judged where it is used."""
    text = word(found, place)
    with errors_at(place):
        tokens = Tokens(text)
        read = tokens.length("a length", zero=True)
    if tokens.kind != "end":
        raise _wrong("one length such as '200', '20%' or '3ep'", found, place)
    return read


def lengths(found: Any, place: str) -> tuple[Length, ...]:
    """Several lengths."""
    return tuple(length(member, at) for member, at in members(found, place))


def values(found: Any, place: str) -> Values:
    """The values of a table; a million of them take a fraction of a second."""
    if not isinstance(found, list):
        raise _wrong("an array of numbers", found, place)
    for index, member in enumerate(found):
        if type(member) is not float and type(member) is not int:
            raise _wrong("a number", member, f"{place}[{index}]")
    with errors_at(place):
        return Values.of(found)


@contextmanager
def errors_at(place: str) -> Iterator[None]:
    """Errors of what is built from the document, with the place it was read from."""
    try:
        yield
    except ScheduleError as error:
        raise ScheduleError(f"{place}: {error}") from None
