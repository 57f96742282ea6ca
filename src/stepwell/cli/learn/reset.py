"""`stepwell learn reset`: begin one item anew."""

from __future__ import annotations

from typing import Annotated

import typer

from stepwell.cli.learn.options import CourseOption, ProgressOption, read_course, recorded


def reset(
    item: Annotated[str, typer.Argument(metavar="ITEM", help="Such as steplr/after-some-calls.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    progress: ProgressOption = None,
    course: CourseOption = None,
) -> None:
    """Begin an item anew: its answers no longer count. They stay in the file and its export, and badges stay won."""
    from stepwell.cli.learn.names import item_of
    from stepwell.learn.progress import Progress

    name = item_of(read_course(course), item).id
    count = sum(attempt.item == name for attempt in recorded(progress))
    if not count:
        typer.echo(f"nothing is recorded for {name}")
        return
    answers = f"{count} answer{'s' if count != 1 else ''}"
    if not yes:
        typer.confirm(f"Begin {name} anew, so that {answers} no longer count?", abort=True)
    with Progress.open(progress) as opened:
        gone = opened.reset(name)
    typer.echo(f"{name} begins anew; {gone} answer{'s' if gone != 1 else ''} no longer count{'' if gone != 1 else 's'}")
