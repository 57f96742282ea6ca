"""The first screen: topics with time, levels and mastery; then the topic and the mode, by keyboard."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import typer

from stepwell.cli.learn.listing import print_plain, topic_table
from stepwell.cli.learn.options import read_course, read_outline, recorded, worker_of_ones_own
from stepwell.cli.learn.terminal import Terminal, terminal
from stepwell.errors import OptionError
from stepwell.learn.modes import Mode

if TYPE_CHECKING:
    from stepwell.learn.attempt import Attempt
    from stepwell.learn.course import Course
    from stepwell.learn.outline import Outline
    from stepwell.learn.worker import Worker

LEAVE = ("q", "quit")
OFFERED = 4
"""Topics that are offered where a word may mean several."""
AROUND = 4
"""Lines of a screen besides the topics: what it is, the names of the columns, the answers so far, the prompt."""
LEAST = 5
"""Topics that are shown at once, however low the terminal is."""
BRIEFLY = 0.05
"""Seconds after which the prompt is there."""
ABOUT: Mapping[Mode, str] = MappingProxyType(
    {
        Mode.LEARN: "read the page, then two cards and an explanation",
        Mode.PREDICT: "commit yourself first, then see it run",
        Mode.RECALL: "the cards that are due, then new ones",
        Mode.PRACTICE: "five items from easy to hard, with hints and worked steps",
        Mode.CHALLENGE: "five problems, two attempts, 2:00 each; a badge for all",
        Mode.TEST: "up to ten questions, no hints; is the topic strong?",
        Mode.FIX: "broken training loops to mend",
        Mode.DESIGN: "write and draw schedules",
        Mode.TUNE: "reach a loss within a budget of updates",
    }
)


def home(progress: Path | None, course: Path | None) -> None:
    """Show the topics, then sit down to what is chosen, until the learner leaves."""
    from stepwell.cli.around import stopped

    front = terminal()
    topics = read_outline(course)
    attempts = recorded(progress)
    if not front.interactive:
        _print_plain(topics, attempts)
        return
    shown = _print_topics(front, topics, attempts)
    reader = ThreadPoolExecutor(1, "stepwell-course")
    try:
        with worker_of_ones_own() as worker:
            reading = reader.submit(_prepare, worker, course)
            while _round(front, _Shelf(topics, attempts, shown), reading, progress, worker):
                attempts = recorded(progress)
                shown = _print_topics(front, topics, attempts)
    except KeyboardInterrupt:
        raise stopped("\nstopped; every answer is recorded") from None
    finally:
        reader.shutdown(wait=False, cancel_futures=True)


def _prepare(worker: Worker, course: Path | None) -> Course:
    """Load torch in the worker and read the course while the learner reads; first let the prompt come."""
    time.sleep(BRIEFLY)
    worker.start()
    return read_course(course)


def fitting(word: str, names: Sequence[str], titles: Sequence[str]) -> list[int]:
    """The places of what may be meant: by its number from 1, or by the beginning or a part of its name or title.

    Example:
        >>> fitting("2", ["steplr", "cosine"], ["", ""]), fitting("cos", ["steplr", "cosine"], ["", ""])
        ([1], [1])
    """
    word = word.casefold()
    if word.isdecimal():
        return [int(word) - 1] if 1 <= int(word) <= len(names) else []
    both = [(name.casefold(), title.casefold()) for name, title in zip(names, titles, strict=True)]
    found: list[int] = []
    for fits in (
        lambda name, _: name == word,
        lambda name, _: name.startswith(word),
        lambda name, title: len(word) > 1 and (word in name or word in title),  # a letter is a part of nearly all
    ):
        found = [place for place, one in enumerate(both) if fits(*one)] or found
        if len(found) == 1:
            break
    return found


def _print_plain(topics: Sequence[Outline], attempts: Sequence[Attempt]) -> None:
    from stepwell.learn.mastery import mastery

    print_plain(topics, mastery(attempts))
    first = topics[0].id if topics else "TOPIC"
    typer.echo(f"\nto begin, type: stepwell learn quiz --mode learn --topic {first}")
    typer.echo("other modes, cards that are due and your results: stepwell learn --help")


@dataclass(frozen=True, slots=True)
class _Shelf:
    """The topics on the first screen, of which so many are shown."""

    topics: Sequence[Outline]
    attempts: Sequence[Attempt]
    shown: int


def _print_topics(front: Terminal, topics: Sequence[Outline], attempts: Sequence[Attempt], begin: int = 0) -> int:
    """Print as many topics as the terminal has lines for; the place of the next one."""
    from stepwell.learn.mastery import mastery

    end = min(len(topics), begin + max(LEAST, front.console.height - AROUND))
    if not begin:
        front.say("Learn how learning rates work. Every answer is run.", "bold")
    table = topic_table(topics, mastery(attempts), width=front.console.width, places=range(begin, end))
    front.console.print(table)
    if end < len(topics):
        return end
    rated = {attempt.item for attempt in attempts if attempt.verdict == "not graded"}
    if attempts:
        count = f"{len(attempts)} answer{'s' if len(attempts) != 1 else ''} so far"
        front.say(f"{count}{f', {len(rated)} cards and explanations among them' if rated else ''}.", "dim")
    return end


def _round(front: Terminal, shelf: _Shelf, reading: Future[Course], progress: Path | None, worker: Worker) -> bool:
    """One choice and its sitting; False where the learner leaves."""
    try:
        topic = _ask_topic(front, shelf)
        if topic is None:
            return False
        course = reading.result()
        mode = _ask_mode(front, course, topic)
        if mode is None:
            return True
        timer = _ask_timer(front) if mode is Mode.CHALLENGE else "x1"
        if timer is None:
            return True
    except EOFError:
        front.blank()
        return False
    import random

    from stepwell.cli.learn.quiz import sit_with
    from stepwell.learn.session.plan import Wish

    try:
        sit_with(front, course, Wish(mode, topic, seed=random.randrange(10_000), timer=timer), progress, worker)
        if front.ask("Enter for the topics, q leaves: ").casefold() in LEAVE:
            return False
    except OptionError as error:
        front.say(f"{error}", "yellow")
    except EOFError:
        front.blank()
        return False
    front.blank()
    return True


def _ask_topic(front: Terminal, shelf: _Shelf) -> tuple[str, ...] | None:
    """The chosen topic, nothing for all; None where the learner leaves."""
    topics, shown = shelf.topics, shelf.shown
    names, titles = [topic.id for topic in topics], [topic.title for topic in topics]
    while True:
        more = shown < len(topics)
        word = front.ask(f"Topic (number or name; Enter for {'more' if more else 'all'}; q leaves): ")
        if word.casefold() in LEAVE:
            return None
        if not word and more:
            shown = _print_topics(front, topics, shelf.attempts, shown)
            continue
        if not word or word.casefold() == "all":
            return ()
        found = fitting(word, names, titles)
        if len(found) == 1:
            front.say(titles[found[0]], "bold")
            front.say(topics[found[0]].summary)
            return (names[found[0]],)
        if word == "?":
            front.say("Type the number of a topic, or its name or a part of it; all for all of them; q to leave.")
        else:
            _refuse(front, "topic", word, found, names)


def _refuse(front: Terminal, what: str, word: str, found: Sequence[int], names: Sequence[str]) -> None:
    """Say that a word names nothing, or what it may name."""
    if found:
        several = ", ".join(f"{place + 1} {names[place]}" for place in found[:OFFERED])
        others = " or others" if len(found) > OFFERED else ""
        front.say(f"{word!r} may be {several}{others}; type a number.", "yellow")
    else:
        front.say(f"There is no {what} {word!r}; type a number from 1 to {len(names)}, or a name.", "yellow")


def _ask_mode(front: Terminal, course: Course, topic: tuple[str, ...]) -> Mode | None:
    """The chosen mode; None to go back."""
    items = [item for item in course.items if not topic or item.topic in topic]
    counts = {mode: sum(mode in item.modes for item in items) for mode in Mode}
    open_to = [mode for mode in Mode if counts[mode] and (topic or mode is not Mode.LEARN)]
    front.say(f"     {'mode':10} {'items':>5}", "bold")
    for number, mode in enumerate(open_to, 1):
        front.say(f"  {number}  {mode.value:10} {counts[mode]:5}  {ABOUT[mode]}")
    while True:
        word = front.ask("Mode (number or name; Enter to go back): ")
        if not word or word.casefold() in LEAVE:
            return None
        names = [mode.value for mode in open_to]
        found = fitting(word, names, [""] * len(names))
        if len(found) == 1:
            return open_to[found[0]]
        if word == "?":
            front.say("Type the number of a mode, or its name; Enter or q to go back to the topics.")
        else:
            _refuse(front, "mode", word, found, names)


def _ask_timer(front: Terminal) -> str | None:
    """The chosen timer; None to go back."""
    from stepwell.learn.session.rules import TIMERS

    while True:
        word = front.ask("Timer (Enter for 2:00 a problem; x2 or x10 longer; off): ").casefold() or "x1"
        if word in TIMERS:
            return word
        if word in LEAVE:
            return None
        got = "" if word == "?" else f", got {word!r}"
        front.say(
            f"Type one of {', '.join(TIMERS)}{got}, or q to go back to the topics. Overtime costs nothing.", "yellow"
        )
