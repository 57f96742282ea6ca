"""`stepwell learn quiz` and `review`: a sitting in one of the nine modes."""

from __future__ import annotations

import random
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stepwell.cli.around import stopped
from stepwell.cli.learn.options import CourseOption, ProgressOption, read_course, recorded, warm_worker
from stepwell.learn.modes import Mode

if TYPE_CHECKING:
    from stepwell.cli.learn.terminal import Terminal
    from stepwell.learn.course import Course
    from stepwell.learn.progress import Progress
    from stepwell.learn.session.plan import Wish
    from stepwell.learn.session.player import Player
    from stepwell.learn.worker import Worker

StepsOption = Annotated[
    bool, typer.Option("--json", help="Print every step as a line of JSON, and read events as lines of JSON.")
]


def quiz(
    mode: Annotated[str, typer.Option(metavar="MODE", help=f"{', '.join(Mode)}.")] = Mode.PRACTICE.value,
    topic: Annotated[
        list[str] | None, typer.Option(metavar="TOPIC", help="Only of this topic. Repeatable.", show_default="all")
    ] = None,
    level: Annotated[
        str | None,
        typer.Option(metavar="LEVEL", help="beginner, intermediate, advanced or expert.", show_default="all"),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Draws items, numbers and order: the same for the same answers so far.", show_default="new"),
    ] = None,
    timer: Annotated[
        str, typer.Option(metavar="off|x1|x2|x10", help="Of a challenge: 2:00 for each problem, or longer, or none.")
    ] = "x1",
    json: StepsOption = False,
    progress: ProgressOption = None,
    course: CourseOption = None,
) -> None:
    """Sit down to one of the nine modes. Every answer is recorded before its verdict is shown."""
    from stepwell.cli.learn.names import level_of, mode_of, topic_ids
    from stepwell.learn.session.plan import Wish

    chosen, wanted = mode_of(mode), None if level is None else level_of(level)
    content = read_course(course)
    topics = topic_ids((known.id for known in content.topics), topic or ())
    drawn = random.randrange(10_000) if seed is None else seed
    sit(content, Wish(chosen, topics, wanted, drawn, timer), progress, json=json)


def review(json: StepsOption = False, progress: ProgressOption = None, course: CourseOption = None) -> None:
    """Recall the cards that you have rated before and that are due."""
    from stepwell.errors import OptionError
    from stepwell.learn.session.plan import Wish

    content = read_course(course)
    if not (words := _nothing_due(content, progress)):
        sit(content, Wish(Mode.RECALL, new=False), progress, json=json)
    elif json:
        raise OptionError(words)
    else:
        typer.echo(words)


def sit(course: Course, wish: Wish, path: Path | None, *, json: bool) -> None:
    """A whole sitting in this terminal, or by lines of JSON."""
    from stepwell.cli.learn.terminal import terminal
    from stepwell.learn.progress import Progress

    with warm_worker() as worker:
        if not json:
            sit_with(terminal(), course, wish, path, worker)
            return
        from stepwell.cli.learn.pipe import drive

        with Progress.open(path) as progress, _begun(course, wish, progress, worker) as player:
            drive(player, sys.stdin, _write_line)


def sit_with(front: Terminal, course: Course, wish: Wish, path: Path | None, worker: Worker) -> None:
    """A whole sitting in a terminal, with a worker that is there already."""
    from stepwell.cli.learn.sitting import play
    from stepwell.learn.progress import Progress

    with Progress.open(path) as progress, _begun(course, wish, progress, worker) as player:
        play(player, front, worker, progress)
        _say_how_again(front, course, wish)


@contextmanager
def _begun(course: Course, wish: Wish, progress: Progress, worker: Worker) -> Iterator[Player]:
    """The sitting; Ctrl-C ends it with a word about what is kept."""
    from stepwell.learn.session.player import Player

    with Player.begin(course, wish, progress, worker) as player:
        try:
            yield player
        except KeyboardInterrupt:
            count = len(player.state.given)
            raise stopped(f"\nstopped; {count} answer{'s are' if count != 1 else ' is'} recorded") from None


def _nothing_due(course: Course, path: Path | None) -> str:
    """When the next card is due, where none is now, or how one comes to be; empty where one is due."""
    from stepwell.learn.memory import due, memories

    now = time.time()
    known = memories(recorded(path))
    cards = [item for item in course.items if Mode.RECALL in item.modes]
    if not cards:
        return "this course has no cards"
    rated = [item.id for item in cards if item.id in known]
    if not rated:
        page = f"stepwell learn quiz --mode learn --topic {cards[0].topic}"
        return f"you have rated no card yet; a topic's page ends with some, such as that of {cards[0].topic}: {page}"
    if due(known, rated, now):
        return ""
    hours = min(known[card].due - now for card in rated) / 3600
    wait = f"{hours:.0f} hours" if hours >= 1.5 else f"{max(1.0, 60 * hours):.0f} minutes"
    return f"no card is due now; the next one is in about {wait if hours < 36 else f'{hours / 24:.0f} days'}"


def _write_line(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _say_how_again(front: Terminal, course: Course, wish: Wish) -> None:
    words = ["stepwell", "learn", "quiz", "--mode", wish.mode.value]
    words += [word for topic in wish.topics for word in ("--topic", topic)]
    words += ["--level", wish.level.value] if wish.level else []
    words += ["--timer", wish.timer] if wish.timer != "x1" else []
    words += ["--course", str(course.folder)] if course.folder else []
    if wish.mode not in (Mode.RECALL, Mode.LEARN):
        front.say(f"Seed {wish.seed}. More like this: {shlex.join([*words, '--seed', str(wish.seed)])}", "dim")
