"""Finds what a user names: topics, items, modes; of what is not there, the nearest names are told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeVar

from stepwell.errors import OptionError
from stepwell.learn.levels import Level
from stepwell.learn.modes import Mode

if TYPE_CHECKING:
    from stepwell.learn.course import Course, Item

Word = TypeVar("Word", Mode, Level)

MOST = 4
"""Names that are offered."""


def nearest(what: str, word: str, known: Sequence[str], see: str) -> OptionError:
    """The error for a name that is not there.

    Args:
        what: the kind of thing, such as `topic`.
        word: what was typed.
        known: every name.
        see: what to do where no name is near.
    """
    folded = word.casefold()
    near = get_close_matches(folded, known, MOST, 0.5)
    near += [name for name in known if folded and folded in name and name not in near]
    hint = f"did you mean {' or '.join(near[:MOST])}?" if near else see
    return OptionError(f"there is no {what} {word!r}; {hint}")


def topic_ids(known: Iterable[str], words: Iterable[str]) -> tuple[str, ...]:
    """The topics that are named, each once; `a,b` names two.

    Raises:
        OptionError: there is no such topic.
    """
    known = list(known)
    found = []
    for word in (part.strip() for one in words for part in one.split(",")):
        if word and word not in known:
            raise nearest("topic", word, known, "see all: stepwell learn list")
        found.append(word)
    return tuple(dict.fromkeys(word for word in found if word))


def item_of(course: Course, word: str) -> Item:
    """The item that is named, by its full id or by the part after the slash where only one has it.

    Raises:
        OptionError: there is none, or there are several.
    """
    items = {item.id: item for item in course.items}
    if word in items:
        return items[word]
    same = [name for name in items if name.partition("/")[2] == word]
    if len(same) == 1:
        return items[same[0]]
    if same:
        raise OptionError(f"several items are called {word!r}: {', '.join(same)}; name the topic too")
    topic = word.partition("/")[0]
    known = [name for name in items if name.startswith(f"{topic}/")] or list(items)
    raise nearest("item", word, known, "see all of a topic: stepwell learn list TOPIC")


def mode_of(word: str) -> Mode:
    """The mode of this name.

    Raises:
        OptionError: there is none.
    """
    return _word(Mode, "mode", word)


def level_of(word: str) -> Level:
    """The level of this name.

    Raises:
        OptionError: there is none.
    """
    return _word(Level, "level", word)


def _word(kind: type[Word], what: str, word: str) -> Word:
    known = [one.value for one in kind]
    if word.casefold() not in known:
        raise nearest(what, word, known, f"{what}s: {', '.join(known)}")
    return kind(word.casefold())
