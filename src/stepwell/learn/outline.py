"""What the first screen needs of the course, in milliseconds: titles, times, levels and counts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from stepwell.errors import ContentError
from stepwell.learn.files import CONTENT, folders, table, text
from stepwell.learn.levels import Level

_ITEM = re.compile(r"^\[\[item\]\]\s*$", re.MULTILINE)
_LEVEL = re.compile(r'^level\s*=\s*"(\w+)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Outline:
    """A topic without its content.

    Args:
        levels: of its items, from the lowest.
        num_items: how many there are.
    """

    id: str
    title: str
    summary: str
    minutes: int
    order: int
    prerequisites: tuple[str, ...]
    levels: tuple[Level, ...]
    num_items: int


def outline(folder: Path = CONTENT) -> tuple[Outline, ...]:
    """The topics of a course in their order. Items are counted, not read: a fault in one does not show here.

    Raises:
        ContentError: the folder or a `topic.toml` cannot be read.
    """
    return tuple(sorted(map(_outline, folders(folder)), key=lambda topic: (topic.order, topic.id)))


def _outline(folder: Path) -> Outline:
    place = f"{folder.name}/topic.toml"
    found = table(folder / "topic.toml", place)
    items = "".join(
        text(path, f"{folder.name}/{path.name}") for path in sorted(folder.glob("*.toml")) if path.name != "topic.toml"
    )
    written = set(_LEVEL.findall(items))
    try:
        return Outline(
            folder.name,
            str(found["title"]),
            str(found["summary"]),
            int(found["minutes"]),
            int(found["order"]),
            tuple(found.get("prerequisites", ())),
            tuple(level for level in Level if level.value in written),
            len(_ITEM.findall(items)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ContentError(f"{place} is not complete ({error}); see all of it: stepwell learn verify") from error
