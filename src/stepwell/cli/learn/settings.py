"""Reads the setting of a lab: optimizer, rate and schedule, one prompt each or all in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stepwell.cli.learn.charts import laid
from stepwell.cli.learn.editor import Draft
from stepwell.cli.learn.keys import Event, typed
from stepwell.cli.learn.questions import setting_words
from stepwell.cli.learn.terminal import Terminal
from stepwell.errors import AnswerError, StepwellError
from stepwell.learn.items.numeric import number
from stepwell.learn.session.screen import Step


def setting(terminal: Terminal, step: Step, line: str, draft: Draft) -> Mapping[str, Any]:
    """Three questions, each with what was chosen last as its default, each asked again until it can be meant.

    A line such as `SGD, 0.1, hold`, the form in which settings are shown, answers the first one and those after it. A
    key that is typed at one of them leaves; what was chosen before it stays the default.
    """
    data = step.data
    waiting = _parts(line)
    chosen = dict(draft.setting or data["start"])
    parts: tuple[tuple[str, str, Callable[[str], Any]], ...] = (
        ("optimizer", f"one of {', '.join(data['optimizers'])}", lambda word: _optimizer(data["optimizers"], word)),
        ("lr", "a rate, such as 0.1", _rate),
        ("schedule", "the text of a schedule", lambda text: _laid(text, data["steps"], chosen["lr"])),
    )
    for name, form, read in parts:
        default = chosen[name] if isinstance(chosen[name], str) else f"{chosen[name]!r}"
        prompt = f"  {'rate' if name == 'lr' else name} [{default}]: "
        given: Event | str = waiting.pop(0) if waiting else typed(terminal, step, prompt, form)
        while isinstance(given, str):
            try:
                chosen[name] = read(given or default)
                break
            except StepwellError as error:
                terminal.refuse(error)
            given = typed(terminal, step, prompt, form)
            if name == "optimizer" and isinstance(given, str) and "," in given:
                given, *waiting = _parts(given)
        else:
            return given
        draft.setting = dict(chosen)
    terminal.say(f"Training {setting_words(chosen)} ...", "dim")
    return chosen


def _parts(line: str) -> list[str]:
    """The parts that a line answers, in their order; what follows the second comma is all of the schedule's text."""
    return [part.strip() for part in line.split(",", 2)] if line else []


def _rate(text: str) -> float:
    """A rate above 0."""
    form = f"expected a rate above 0, such as 0.1, got {text!r}"
    try:
        lr = number(text)
    except AnswerError:
        raise AnswerError(form) from None
    if lr <= 0:
        raise AnswerError(form)
    return lr


def _laid(text: str, steps: int, lr: float) -> str:
    """The text of a schedule that can be laid over the updates."""
    laid(text, steps, None, lr)
    return text


def _optimizer(known: Sequence[str], word: str) -> str:
    """The optimizer that a word means, by its name or how that begins; a single letter means none."""
    folded = word.casefold()
    same = [name for name in known if name.casefold() == folded]
    begun = same or [name for name in known if len(word) > 1 and name.casefold().startswith(folded)]
    if len(begun) != 1:
        raise AnswerError(f"expected one of {', '.join(begun or known)}, got {word!r}")
    return begun[0]
