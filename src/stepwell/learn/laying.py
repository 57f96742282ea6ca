"""Schedules of an item laid over its run: from text to the list of rates. No torch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from stepwell.errors import ContentError, HorizonError, StepwellError
from stepwell.learn.proof import Frame
from stepwell.learn.template import render
from stepwell.schedule import Curve, Horizon, schedule

MOST_STEPS = 20_000
"""Updates of a run in the course: every one becomes a number in a claim and a point in a picture."""

# What the language says to who can pass figures, and what they stand for.
_LACKS = re.compile(r"needs (steps_per_epoch|tokens_per_step); pass \1=\.\.\.")
_COUNTED = {"steps_per_epoch": "epochs", "tokens_per_step": "tokens"}


def lay(text: str, run: Horizon, base_lr: float) -> Curve:
    """A schedule's text laid over a run of the course.

    Raises:
        ScheduleError: it cannot be read or laid over this run; in words for who can type nothing but the text.

    Example:
        >>> lay("hold for 20ep | linear to 0", Horizon(100), 0.1)
        Traceback (most recent call last):
        ...
        stepwell.errors.HorizonError: the length '20ep' is in epochs, which this run of 100 updates does not have; \
type updates, such as 5, or a share of the run, such as 25%
    """
    try:
        return schedule(text).resolve(run, base_lr=base_lr)
    except HorizonError as error:
        words = _LACKS.sub(
            lambda found: (
                f"is in {_COUNTED[found[1]]}, which this run of {run.total_steps} updates does not have; "
                "type updates, such as 5, or a share of the run, such as 25%"
            ),
            str(error),
        )
        raise HorizonError(words) from error


def horizon(frame: Frame, names: Mapping[str, Any]) -> tuple[Horizon, float]:
    """The run and its base rate for these parameters.

    Raises:
        ContentError: a figure that cannot be.
    """
    total = _whole(frame.total_steps, names, "total_steps")
    if total > MOST_STEPS:
        raise ContentError(f"a run of the course has at most {MOST_STEPS} updates, got {total}")
    per_epoch = _whole(frame.steps_per_epoch, names, "steps_per_epoch") if frame.steps_per_epoch else None
    tokens = _number(frame.tokens_per_step, names, "tokens_per_step") if frame.tokens_per_step else None
    base_lr = _number(frame.base_lr, names, "base_lr")
    try:
        return Horizon(total, per_epoch, tokens), base_lr
    except StepwellError as error:
        raise ContentError(str(error)) from error


def rates(text: str, frame: Frame, names: Mapping[str, Any]) -> list[float]:
    """The rate of every update under a schedule.

    Raises:
        ScheduleError: the text cannot be read or laid over the run.
        ContentError: the run's figures cannot be.
    """
    run, base_lr = horizon(frame, names)
    curve = lay(text, run, base_lr)
    found: list[float] = (base_lr * curve(np.arange(run.total_steps or 0))).tolist()
    return found


def _number(text: str, names: Mapping[str, Any], name: str) -> float:
    written = render(text, names, exact=True)
    try:
        found = float(written)
    except ValueError:
        found = float("nan")
    if not 0 < found < float("inf"):
        raise ContentError(f"the horizon's {name} must be a positive number, {text!r} gave {written!r}")
    return found


def _whole(text: str, names: Mapping[str, Any], name: str) -> int:
    found = _number(text, names, name)
    if not found.is_integer():
        raise ContentError(f"the horizon's {name} must be a whole number, {text!r} gave {found!r}")
    return int(found)
