"""`stepwell learn list`: the topics, or the items of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stepwell.cli.learn.options import CourseOption, JsonOption, ProgressOption, read_course, read_outline, recorded

if TYPE_CHECKING:
    from rich.table import Table

    from stepwell.learn.levels import Level
    from stepwell.learn.mastery import Mastery
    from stepwell.learn.outline import Outline

ROOMY = 95
"""Columns from which levels have their whole names."""
OTHERS = 2 + 3 + 5 + 8 + 5
"""Columns of the number, the minutes, the items and what is right, with the gaps."""


def list_topics(
    topic: Annotated[
        str | None, typer.Argument(metavar="[TOPIC]", help="The items of this one.", show_default=False)
    ] = None,
    json: JsonOption = False,
    progress: ProgressOption = None,
    course: CourseOption = None,
) -> None:
    """List the topics with time, levels, number of items and mastery; or the items of a topic."""
    if topic is not None:
        _list_items(topic, course, progress, json=json)
        return
    from stepwell.learn.mastery import mastery

    topics = read_outline(course)
    known = mastery(recorded(progress))
    if json:
        _echo([_document(one, known.get(one.id)) for one in topics])
        return
    from stepwell.cli.learn.terminal import plain_console

    console = plain_console()
    if console.is_terminal:
        console.print(topic_table(topics, known, width=console.width))
    else:
        print_plain(topics, known)


def topic_table(
    topics: Sequence[Outline], known: Mapping[str, Mastery], *, width: int, places: range | None = None
) -> Table:
    """The topics as a terminal shows them; it fits into 80 columns.

    Args:
        topics: all of them.
        known: the mastery of those that were begun.
        width: of the terminal.
        places: of the topics that are shown, from 0; all by default.
    """
    from rich.table import Table
    from rich.text import Text

    spans = [level_range(topic.levels, short=width < ROOMY) for topic in topics]
    taken = max(map(len, spans), default=0) + OTHERS
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", justify="right", style="bold")
    # What is left of the width: rich takes from such a column last where it may not wrap.
    table.add_column("topic", overflow="ellipsis", no_wrap=True, max_width=max(12, width - taken))
    table.add_column("min", justify="right")
    table.add_column("levels", no_wrap=True)
    table.add_column("items", justify="right", min_width=5)
    table.add_column("right", justify="right", no_wrap=True)
    for place in range(len(topics)) if places is None else places:
        topic, span = topics[place], spans[place]
        found = known.get(topic.id)
        words = Text(str(found) if found else "-", style="green" if found and found.strong else "")
        table.add_row(
            str(place + 1),
            Text(topic.title),
            str(topic.minutes),
            span,
            str(topic.num_items),
            words,
        )
    return table


def print_plain(topics: Sequence[Outline], known: Mapping[str, Mastery]) -> None:
    """Print the topics for a pipe: fields with tabs between them."""
    for topic in topics:
        found = known.get(topic.id)
        fields = (topic.id, topic.title, f"{topic.minutes} min", level_range(topic.levels, short=False))
        typer.echo("\t".join((*fields, f"{topic.num_items} items", f"{found} right" if found else "not begun")))


def level_range(levels: Sequence[Level], *, short: bool = True) -> str:
    """From the lowest to the highest level of a topic.

    Example:
        >>> from stepwell.learn.levels import Level
        >>> level_range([Level.BEGINNER, Level.ADVANCED]), level_range([Level.EXPERT])
        ('beg.-adv.', 'expert')
    """
    if not levels:
        return "-"
    if len(levels) == 1:
        return levels[0].value
    first, last = levels[0].value, levels[-1].value
    return f"{first[:3]}.-{last[:3]}." if short else f"{first} to {last}"


def _list_items(word: str, course: Any, progress: Any, *, json: bool) -> None:
    from stepwell.cli.learn.names import topic_ids
    from stepwell.learn.mastery import last_verdicts

    content = read_course(course)
    (name,) = topic_ids((topic.id for topic in content.topics), [word])
    last = last_verdicts(recorded(progress))
    items: list[dict[str, Any]] = [
        {
            "item": item.id,
            "type": item.body.kind,
            "level": item.level.value,
            "difficulty": item.difficulty.value,
            "seconds": item.seconds,
            "modes": sorted(item.modes),
            "last": last[item.id].value if item.id in last else None,
        }
        for item in content.topic(name).items
    ]
    if json:
        _echo(items)
        return
    for row in items:
        facts = [row["item"], row["type"], row["level"], row["difficulty"], ",".join(row["modes"]), row["last"] or "-"]
        typer.echo("\t".join(map(str, facts)))


def _document(topic: Outline, found: Mastery | None) -> dict[str, Any]:
    return {
        "topic": topic.id,
        "title": topic.title,
        "summary": topic.summary,
        "minutes": topic.minutes,
        "levels": [level.value for level in topic.levels],
        "items": topic.num_items,
        "prerequisites": list(topic.prerequisites),
        "right": found.right if found else 0,
        "of": found.of if found else 0,
        "strong": found.strong if found else None,
    }


def _echo(document: Any) -> None:
    import json

    typer.echo(json.dumps(document, ensure_ascii=False, indent=1))
