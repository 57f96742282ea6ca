"""`stepwell learn stats`: what the recorded answers say."""

from __future__ import annotations

import json as json_format
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from stepwell.cli.learn.options import CourseOption, JsonOption, ProgressOption, read_outline, recorded

if TYPE_CHECKING:
    from stepwell.cli.learn.terminal import Terminal
    from stepwell.learn.attempt import Attempt
    from stepwell.learn.mastery import Badge

BAR = 20
"""Signs of a bar that is full."""


def stats(json: JsonOption = False, progress: ProgressOption = None, course: CourseOption = None) -> None:
    """Tell per topic how much is right now, badges, and how often you were right when you were how sure."""
    from stepwell.cli.learn.terminal import terminal
    from stepwell.learn.mastery import badges

    order = [topic.id for topic in read_outline(course)]
    found = statistics(recorded(progress), order, badges(recorded(progress, ever=True)))
    if json:
        typer.echo(json_format.dumps(found, ensure_ascii=False, indent=1))
    elif not found["answers"] and not found["badges"]:
        typer.echo("nothing is recorded yet; begin: stepwell learn")
    else:
        _print(terminal(), found)


def statistics(attempts: Sequence[Attempt], order: Sequence[str], won: Sequence[Badge]) -> dict[str, Any]:
    """What is told, as plain data.

    Args:
        attempts: the recorded answers.
        order: the ids of the topics as they are listed; others come after them.
        won: the badges, those of challenges whose items were reset since included.
    """
    from stepwell.learn.mastery import calibration, mastery
    from stepwell.learn.verdict import Verdict

    known = mastery(attempts)
    bins = calibration(attempts)
    counted = [attempt for attempt in attempts if attempt.verdict.counts]
    last = {(attempt.session, attempt.item): attempt for attempt in attempts}  # its time includes that of those before
    return {
        "answers": len(attempts),
        "items": len({attempt.item for attempt in attempts}),
        "right": sum(attempt.verdict is Verdict.RIGHT for attempt in counted),
        "counted": len(counted),
        "seconds": round(sum(attempt.seconds for attempt in last.values()), 1),
        "overtime": round(sum(attempt.overtime for attempt in last.values()), 1),
        "topics": [
            {"topic": name, "right": known[name].right, "of": known[name].of, "strong": known[name].strong}
            for name in sorted(known, key=lambda one: order.index(one) if one in order else len(order))
        ],
        "badges": [
            {"topics": list(badge.topics), "time": badge.time, "within_time": badge.within_time} for badge in won
        ],
        "calibration": [{"confidence": one.confidence, "right": one.right, "count": one.count} for one in bins],
    }


def _print(terminal: Terminal, found: dict[str, Any]) -> None:
    from stepwell.cli.learn.questions import clock

    words = {True: "strong", False: "not strong yet", None: "too few answers to call it strong"}
    terminal.say(
        f"{_count(found['answers'], 'answer')} to {_count(found['items'], 'item')} in {clock(found['seconds'])}; "
        f"{found['right']} of {found['counted']} that count were right."
    )
    if found["topics"]:
        terminal.blank()
        terminal.say("Right now, by the last answer to each item", "bold")
    width = max((len(topic["topic"]) for topic in found["topics"]), default=0)
    for topic in found["topics"]:
        share = topic["right"] / topic["of"]
        of = f"{topic['right']} of {topic['of']}"
        terminal.say(f"  {topic['topic']:{width}}  {of:>8}  {_bar(share)}  {words[topic['strong']]}".rstrip())
    if found["badges"]:
        terminal.blank()
        terminal.say("Badges: a challenge with all five right", "bold")
    for badge in found["badges"]:
        day = time.strftime("%Y-%m-%d", time.localtime(badge["time"]))
        within = "within the time" if badge["within_time"] else "with overtime"
        terminal.say(f"  {day}  {', '.join(badge['topics'])}, {within}")
    if found["calibration"]:
        terminal.blank()
        terminal.say("How sure you were, and how often that was right", "bold")
    for one in found["calibration"]:
        count = _count(one["count"], "answer")
        terminal.say(f"  {one['confidence']:4.0%} sure  {one['right']:4.0%} right  {_bar(one['right'])}  {count}")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _bar(share: float) -> str:
    full = round(share * BAR)
    return f"[{'#' * full}{'.' * (BAR - full)}]"
