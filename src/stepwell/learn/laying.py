"""Schedules of an item laid over its run: from text to the list of rates. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from stepwell.errors import ContentError, StepwellError
from stepwell.learn.proof import Frame
from stepwell.learn.template import render
from stepwell.schedule import Horizon, schedule

MOST_STEPS = 20_000
"""Updates of a run in the course: every one becomes a number in a claim and a point in a picture."""


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
    curve = schedule(text).resolve(run, base_lr=base_lr)
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
