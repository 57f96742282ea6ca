"""Reads what a learner types at a question, and makes it an event of the sitting."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from stepwell.cli.learn.charts import between, draw_lines, laid
from stepwell.cli.learn.countdown import Countdown
from stepwell.cli.learn.editor import Draft
from stepwell.cli.learn.keys import Event, typed
from stepwell.cli.learn.questions import LETTERS
from stepwell.cli.learn.settings import setting
from stepwell.cli.learn.terminal import Terminal
from stepwell.errors import AnswerError, StepwellError
from stepwell.learn.items.numeric import number
from stepwell.learn.session.screen import Step

_ASKS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "choice": ("Answer", "the number of an option"),
        "control": ("Answer", "the number of a run"),
        "multi": ("Answers", "the numbers of all that hold, such as 1 3"),
        "numeric": ("Answer", "a number, such as 0.05"),
    }
)


def question_event(terminal: Terminal, step: Step, draft: Draft) -> Event:
    """What the learner does at a question. What cannot be meant is said, and asked again."""
    data = step.data
    words, form = _prompt(data)
    left = data.get("left")
    prompt = f"{words}: " if left is None else Countdown.from_now(words, left)
    while True:
        line = typed(terminal, step, prompt, form)
        if not isinstance(line, str):
            return line
        if data["trouble"]:
            terminal.say("Type s to go on.", "dim")
            continue
        try:
            answered = _answered(terminal, step, line, draft)
        except StepwellError as error:
            terminal.refuse(error)
            continue
        if answered is not None and not _given_before(draft, data, answered):
            return answered
        if answered is not None:
            terminal.say(
                "That was your answer before, and it is wrong. Try another one; no attempt was used.", "yellow"
            )


def _given_before(draft: Draft, data: Mapping[str, Any], event: Event) -> bool:
    """Whether this very answer used up an attempt before; where it did not, it is remembered."""
    left = data.get("attempts_left")
    if left is None or event["do"] != "answer":
        return False
    answer = sorted(event["answer"]) if data["type"] == "multi" else event["answer"]
    given = draft.given.setdefault(data["item"], {})
    if any(answer == one for then, one in given.items() if then > left):
        return True
    given[left] = answer
    return False


def _swapped(count: int) -> str:
    """An example of all numbers up to `count` in an order."""
    return " ".join(map(str, (2, 1, *range(3, count + 1))))


def _prompt(data: Mapping[str, Any]) -> tuple[str, str]:
    """What stands before the answer, and the form that it has."""
    match data["type"]:
        case "match":
            count = len(data.get("curves", ()))
            letters = " ".join(LETTERS[:count])
            return f"Labels of {letters}", f"the number of a label for each of {letters}, such as {_swapped(count)}"
        case "order":
            count = len(data.get("pieces", ()))
            return "Order", f"all the numbers, the smallest first, such as {_swapped(count)}"
        case "draw":
            return f"Points, such as {_example(data)}", "`step value`, several with commas between; Enter draws them"
        case "write":
            return "Schedule, or try TEXT to draw one", "the text of a schedule; `try TEXT` draws one first"
        case "fix":
            return (
                "Enter checks, e edits, or a file",
                "Enter to check, e to edit, or the path of a file with the program",
            )
        case "tune":
            return "Optimizer (Enter asks for each part)", "the optimizer, or all in one line, such as SGD, 0.1, hold"
        case "card":
            return "Think, then Enter", "Enter to turn the card over"
        case "explain":
            return "Your words, an empty line ends them", "as many lines as you like; an empty line ends them"
        case kind:
            prompt, form = _ASKS[kind]
            return (f"{prompt} in {data['unit']}" if data.get("unit") else prompt), form


def _example(data: Mapping[str, Any]) -> str:
    """Two points of a run, from its first update to its last."""
    return f"0 {data['base_lr']:g}, {data['total_steps'] - 1} {data['base_lr'] / 2:g}"


def _answered(terminal: Terminal, step: Step, line: str, draft: Draft) -> Event | None:
    """The event of an answer; None where there is none yet.

    Raises:
        StepwellError: it cannot be meant.
    """
    kind = step.data["type"]
    if kind == "card":
        return {"do": "reveal"}
    if kind == "explain":
        return _explained(terminal, step, line)
    answer = _READ[kind](terminal, step, line, draft)
    if answer is None or (isinstance(answer, Mapping) and "do" in answer):
        return answer
    event = {"do": "answer", "answer": answer}
    if step.data["sure"]:
        confidence = _confidence(terminal, step)
        return {**event, "confidence": confidence} if isinstance(confidence, float) else confidence
    return event


def _confidence(terminal: Terminal, step: Step) -> float | Event:
    """From 0 to 1, or the event of a key that was typed instead."""
    while True:
        line = typed(terminal, step, "How sure are you, 0 to 100 percent? ", "a number from 0 to 100")
        if not isinstance(line, str):
            return line
        try:
            value = float(line.rstrip("% ")) / 100
        except ValueError:
            value = -1.0
        if 0 <= value <= 1:
            return value
        terminal.say("Type a number from 0 to 100: 50 for a coin's toss, 100 for certain.", "dim")


def places(text: str, count: int, form: str) -> list[int]:
    """The places that numbers from 1 name; `form` is what was to be typed."""
    words = re.split(r"[\s,;]+", text.strip())
    if not all(word.isdecimal() for word in words):
        got = f"got {text!r}" if text else "got nothing"
        raise AnswerError(f"expected {form}, {got}; ? for help")
    for named in map(int, words):
        if not 1 <= named <= count:
            raise AnswerError(f"expected {form}, from 1 to {count}; got {named}")
    return [int(word) - 1 for word in words]


def _one(_terminal: Terminal, step: Step, line: str, _draft: Draft) -> int:
    count, form = len(step.data["options"]), _prompt(step.data)[1]
    found = places(line, count, form)
    if len(found) != 1:
        raise AnswerError(f"expected {form}, from 1 to {count}; got {line!r}")
    return found[0]


def _several(_terminal: Terminal, step: Step, line: str, _draft: Draft) -> list[int]:
    data, form = step.data, _prompt(step.data)[1]
    if "options" in data:
        return places(line, len(data["options"]), form)
    count = len(data.get("pieces") or data["labels"])
    found = places(line, count, form)
    if sorted(found) != list(range(count)):
        raise AnswerError(f"expected each number from 1 to {count} once, got {line!r}")
    return found


def _number(_terminal: Terminal, step: Step, line: str, _draft: Draft) -> str:
    try:
        number(line)
    except AnswerError:
        got = repr(line) if line else "nothing"
        raise AnswerError(f"expected {_prompt(step.data)[1]}, got {got}; ? for help") from None
    return line


def _points(terminal: Terminal, step: Step, line: str, draft: Draft) -> Any:
    """Points until an empty line; they are drawn, and handed in by another one. A command leaves, and keeps them."""
    data = step.data
    points = draft.points.setdefault(data["item"], {})
    while True:
        try:
            points.update(_pairs(line, data))
        except AnswerError as error:
            terminal.refuse(error)
        drawn = None
        if len(points) < 2:
            if not line:
                terminal.say(f"A line takes two points or more, such as {_example(data)}.", "yellow")
            prompt = f"Points ({len(points)} so far): "
        elif line:
            prompt = f"Points ({len(points)} so far, Enter draws them): "
        else:
            drawn = [[at, value] for at, value in sorted(points.items())]
            draw_lines(terminal.console, [("yours", between(drawn, data["total_steps"]))], what=data["label"])
            prompt = "Enter hands it in, more points change it, clear begins anew: "
        asked = typed(terminal, step, prompt, _prompt(data)[1])
        if not isinstance(asked, str):
            return asked
        if drawn is not None and not asked:
            return drawn
        if asked.casefold() == "clear":
            points.clear()
            return None
        line = asked


def _pairs(line: str, data: Mapping[str, Any]) -> dict[float, float]:
    found, last = {}, data["total_steps"] - 1
    for part in filter(None, (part.strip() for part in re.split(r"[,;]", line))):
        words = part.split()
        try:
            step, value = map(float, words)
            if not math.isfinite(step + value):
                raise ValueError
        except ValueError:
            raise AnswerError(f"expected `step value`, such as 0 0.1, got {part!r}; ? for help") from None
        if not 0 <= step <= last:
            raise AnswerError(f"the steps of this run are 0 to {last}, got {part!r}")
        found[step] = value
    return found


def _schedule(terminal: Terminal, step: Step, line: str, _draft: Draft) -> str | None:
    data = step.data
    word, _, text = line.partition(" ")
    if word.casefold() != "try":
        if not line:
            raise AnswerError("expected the text of a schedule; ? for help")
        return line
    if not text.strip():
        raise AnswerError("expected the text of a schedule after try, such as try cosine 1..0")
    curve = laid(text.strip(), data["total_steps"], data["steps_per_epoch"], data["base_lr"])
    target = [("target", data["target"])] if data["target"] else []
    draw_lines(terminal.console, [*target, ("yours", curve)])
    return None


def _program(terminal: Terminal, step: Step, line: str, draft: Draft) -> str | None:
    return draft.program(terminal, step.data, line)


def _explained(terminal: Terminal, step: Step, line: str) -> Event:
    """The event of an explanation of several lines; a key that is alone in its line means what it always does."""
    lines = []
    while line:
        lines.append(line)
        more = typed(terminal, step, "... ", _prompt(step.data)[1])
        if not isinstance(more, str):
            return more
        line = more
    return {"do": "reveal", "text": "\n".join(lines)}


_READ: Mapping[str, Callable[[Terminal, Step, str, Draft], Any]] = MappingProxyType(
    {
        "choice": _one,
        "control": _one,
        "multi": _several,
        "order": _several,
        "match": _several,
        "numeric": _number,
        "draw": _points,
        "write": _schedule,
        "fix": _program,
        "tune": setting,
    }
)
