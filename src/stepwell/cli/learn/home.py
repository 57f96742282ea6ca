"""The first screen: topics with time, levels and mastery; then the topic and the mode, by keyboard."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
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

BRIEFLY = 0.05
"""Seconds after which the prompt is there."""
ABOUT: Mapping[Mode, str] = MappingProxyType(
    {
        Mode.LEARN: "read the page, then two cards and an explanation",
        Mode.PREDICT: "commit yourself first, then see it run",
        Mode.RECALL: "the cards that are due",
        Mode.PRACTICE: "five items from easy to hard, with hints and worked steps",
        Mode.CHALLENGE: "five problems, two attempts, 2:00 each; a badge for all",
        Mode.TEST: "ten questions, no hints; is the topic strong?",
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
    _print_topics(front, topics, attempts)
    reader = ThreadPoolExecutor(1, "stepwell-course")
    try:
        with worker_of_ones_own() as worker:
            reading = reader.submit(_prepare, worker, course)
            while _round(front, topics, reading, progress, worker):
                _print_topics(front, topics, recorded(progress))
    except KeyboardInterrupt:
        raise stopped("\nstopped; every answer is recorded") from None
    finally:
        reader.shutdown(wait=False, cancel_futures=True)


def _prepare(worker: Worker, course: Path | None) -> Course:
    """Load torch in the worker and read the course while the learner reads; first let the prompt come."""
    time.sleep(BRIEFLY)
    worker.start()
    return read_course(course)


def choose(word: str, names: Sequence[str], titles: Sequence[str]) -> int | None:
    """The place of what is named: by its number from 1, or by the beginning or a part of its name or title.

    None where nothing or more than one thing fits.

    Example:
        >>> choose("2", ["steplr", "cosine"], ["", ""]), choose("cos", ["steplr", "cosine"], ["", ""])
        (1, 1)
    """
    word = word.casefold()
    if word.isdecimal():
        return int(word) - 1 if 1 <= int(word) <= len(names) else None
    both = [(name.casefold(), title.casefold()) for name, title in zip(names, titles, strict=True)]
    for fits in (
        lambda name, _: name == word,
        lambda name, _: name.startswith(word),
        lambda name, title: word in name or word in title,
    ):
        found = [place for place, one in enumerate(both) if fits(*one)]
        if len(found) == 1:
            return found[0]
    return None


def _print_plain(topics: Sequence[Outline], attempts: Sequence[Attempt]) -> None:
    from stepwell.learn.mastery import mastery

    print_plain(topics, mastery(attempts))
    first = topics[0].id if topics else "TOPIC"
    typer.echo(f"\nto begin, type: stepwell learn quiz --mode learn --topic {first}")
    typer.echo("other modes, cards that are due and your results: stepwell learn --help")


def _print_topics(front: Terminal, topics: Sequence[Outline], attempts: Sequence[Attempt]) -> None:
    from stepwell.learn.mastery import mastery

    known = mastery(attempts)
    front.say("Learn how learning rates work. Every answer is run.", "bold")
    front.console.print(topic_table(topics, known, width=front.console.width))
    rated = {attempt.item for attempt in attempts if attempt.verdict == "not graded"}
    if attempts:
        count = f"{len(attempts)} answer{'s' if len(attempts) != 1 else ''} so far"
        front.say(f"{count}{f', {len(rated)} cards and explanations among them' if rated else ''}.", "dim")


def _round(
    front: Terminal, topics: Sequence[Outline], reading: Future[Course], progress: Path | None, worker: Worker
) -> bool:
    """One choice and its sitting; False where the learner leaves."""
    try:
        topic = _ask_topic(front, topics)
        if topic is None:
            return False
        course = reading.result()
        mode = _ask_mode(front, course, topic)
        if mode is None:
            return True
        timer = _ask_timer(front) if mode is Mode.CHALLENGE else "x1"
    except EOFError:
        front.blank()
        return False
    import random

    from stepwell.cli.learn.quiz import sit_with
    from stepwell.learn.session.plan import Wish

    try:
        sit_with(front, course, Wish(mode, topic, seed=random.randrange(10_000), timer=timer), progress, worker)
        front.ask("Enter for the topics: ")
    except OptionError as error:
        front.say(f"{error}", "yellow")
    except EOFError:
        front.blank()
        return False
    front.blank()
    return True


def _ask_topic(front: Terminal, topics: Sequence[Outline]) -> tuple[str, ...] | None:
    """The chosen topic, nothing for all; None where the learner leaves."""
    while True:
        word = front.ask("Topic (number or name; Enter for all; q leaves): ")
        if word.casefold() in ("q", "quit"):
            return None
        if not word or word.casefold() == "all":
            return ()
        found = choose(word, [topic.id for topic in topics], [topic.title for topic in topics])
        if found is not None:
            front.say(f"{topics[found].title}: {topics[found].summary}")
            return (topics[found].id,)
        front.say(f"No topic, or more than one, is meant by {word!r}; type its number.", "yellow")


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
        if not word or word.casefold() in ("q", "quit"):
            return None
        found = choose(word, [mode.value for mode in open_to], [""] * len(open_to))
        if found is not None:
            return open_to[found]
        front.say(f"No mode is meant by {word!r}; type its number.", "yellow")


def _ask_timer(front: Terminal) -> str:
    from stepwell.learn.session.rules import TIMERS

    while True:
        word = front.ask("Timer (Enter for 2:00 a problem; x2 or x10 longer; off): ").casefold() or "x1"
        if word in TIMERS:
            return word
        front.say(f"Type one of {', '.join(TIMERS)}.", "yellow")
