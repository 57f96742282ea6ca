"""`stepwell learn watch`: a broken program in a file of your own, checked at every save."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stepwell.cli.learn.options import CourseOption, JsonOption, ProgressOption, read_course, warm_worker
from stepwell.errors import AnswerError, OptionError
from stepwell.learn.modes import Mode

if TYPE_CHECKING:
    from stepwell.cli.learn.terminal import Terminal
    from stepwell.learn.instance import Instance
    from stepwell.learn.session.player import Player
    from stepwell.learn.session.screen import Step

INTERVAL = 0.2
"""Seconds between two looks at the file."""
PATIENCE = 5
"""Looks in vain before it is said that the file cannot be read."""


def watch(
    item: Annotated[
        str, typer.Argument(metavar="ITEM", help="An item to fix, such as too-high/a-rate-beyond-the-limit.")
    ],
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="Your program; written if it is not there.", show_default="item.py"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Draws the item's numbers.")] = 0,
    json: JsonOption = False,
    progress: ProgressOption = None,
    course: CourseOption = None,
) -> None:
    """Mend a broken program in your own editor: it is checked at every save, until it passes. Ctrl-C ends."""
    from stepwell.cli.around import stopped
    from stepwell.cli.learn.terminal import terminal
    from stepwell.learn.progress import Progress
    from stepwell.learn.session.plan import Plan
    from stepwell.learn.session.player import Player

    shown = _exercise(course, item, seed)
    front = terminal()
    with Progress.open(progress) as opened, warm_worker() as worker:
        path = file or Path(f"{shown.item.id.partition('/')[2]}.py")
        with Player(Plan(uuid.uuid4().hex, Mode.FIX, seed, (shown,)), opened, worker) as player:
            step = player.step()
            _begin(front, step, path, json=json)
            try:
                for code in _saves(path, step.data["start"]):
                    step = _check(player, front, code, json=json)
                    if step.kind == "verdict":
                        return
            except KeyboardInterrupt:
                raise stopped(f"\nstopped; your program is in {path}") from None


def _exercise(course: Path | None, word: str, seed: int) -> Instance:
    from stepwell.cli.learn.names import MOST, item_of
    from stepwell.learn.instance import instance
    from stepwell.learn.items.fix import Fix

    content = read_course(course)
    item = item_of(content, word)
    if not isinstance(item.body, Fix):
        known = [one.id for one in content.items if isinstance(one.body, Fix)]
        known = [name for name in known if name.startswith(f"{item.topic}/")] or known[:MOST]
        raise OptionError(
            f"watch is for programs to fix, {item.id!r} is of the type {item.body.kind}; try {' or '.join(known)}"
        )
    return instance(item, seed)


def _begin(front: Terminal, step: Step, path: Path, *, json: bool) -> None:
    """Write the program where none is, and say what is to be done."""
    from stepwell.cli.learn.questions import print_given
    from stepwell.view.write import write_file

    written = not path.exists()
    if written:
        write_file(path, step.data["start"])
    if json:
        typer.echo(step.to_json())
        return
    front.prose(step.data["question"])
    front.blank()
    print_given(front, step.data)
    front.say(f"{'Wrote' if written else 'Watching'} {path}. It is checked whenever you save it; Ctrl-C ends.", "bold")


def _saves(path: Path, start: str) -> Iterator[str]:
    """The program whenever it has changed, the first time if it is no longer the start."""
    from stepwell.cli.learn.editor import read_program

    seen, failures = start.strip(), 0
    while True:
        try:
            code = read_program(path)
        except AnswerError as error:
            failures += 1
            if failures == PATIENCE:  # an editor may replace the file, and then it is away for a moment
                typer.echo(f"{str(error).rpartition('; ')[0]}; it is checked as soon as it can be", err=True)
        else:
            failures = 0
            if code.strip() and code.strip() != seen:
                seen = code.strip()
                yield code
        time.sleep(INTERVAL)


def _check(player: Player, front: Terminal, code: str, *, json: bool) -> Step:
    from stepwell.cli.learn.questions import print_last
    from stepwell.cli.learn.verdicts import print_told

    with front.busy("checking"):
        step = player.send({"do": "answer", "answer": code})
    if json:
        typer.echo(step.to_json())
    elif step.kind == "verdict":
        print_told(front, step, uncover=True)
    else:
        front.blank()
        front.say(time.strftime("%H:%M:%S"), "dim")
        print_last(front, step.data)
    return step
