"""The functions that transformers gives to LambdaLR, recognised by their names and written as texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from stepwell.errors import StepwellError
from stepwell.schedule import Horizon, Schedule, parse
from stepwell.schedule.length import written

Settings = Mapping[str, Any]
Function = Callable[[int], float]


def recognised(function: Function, total_steps: int | None) -> tuple[int | None, Schedule | None]:
    """The steps that the function itself speaks of if none are given, and its schedule if it is known and agrees.

    A text is only believed if it gives the function's value at every step.
    """
    settings: Settings = function.keywords if isinstance(function, partial) else {}
    whole = settings.get("num_training_steps")
    total = int(whole) if total_steps is None and isinstance(whole, int) else total_steps
    if total is None:
        return None, None
    inner = function.func if isinstance(function, partial) else function
    text = TEXTS.get(getattr(inner, "__name__", ""), _unknown)(settings)
    return total, _agreeing(text, function, total) if text else None


def _agreeing(text: str, function: Function, total: int) -> Schedule | None:
    try:
        schedule = parse(text)
        own = schedule.resolve(Horizon()).total_steps
        values = schedule.resolve(Horizon(own or total))(range(min(own or total, total) + 1))
    except StepwellError:
        return None  # settings that no text can say: the table of the function says them
    wanted = [float(function(step)) for step in range(len(values))]
    return schedule if np.allclose(values, wanted, rtol=1e-12, atol=1e-12) and len(values) > total else None


def _unknown(settings: Settings) -> str:
    return ""


def _warmup(settings: Settings) -> str:
    steps = settings["num_warmup_steps"]
    return f"linear 0..1 for {steps} @left | " if steps else ""


def _rest(settings: Settings) -> int:
    return int(settings["num_training_steps"] - settings["num_warmup_steps"])


def _polynomial(settings: Settings) -> str:
    end = settings["lr_end"] / settings["lr_init"]
    return f"{_warmup(settings)}poly({written(settings['power'])}) 1..{written(end)} for {_rest(settings)}"


def _cosine(settings: Settings) -> str:
    end = settings.get("min_lr_rate", 0.0)
    if settings["num_cycles"] == 0.5:
        return f"{_warmup(settings)}cosine 1..{written(end)} for {_rest(settings)}"
    return ""


def _inverse_sqrt(settings: Settings) -> str:
    return f"{_warmup(settings)}inverse-sqrt 1 over {settings['timescale']}"


TEXTS: dict[str, Callable[[Settings], str]] = {
    "_get_constant_lambda": lambda settings: "hold",
    "_get_constant_schedule_with_warmup_lr_lambda": lambda settings: f"{_warmup(settings)}hold 1",
    "_get_linear_schedule_with_warmup_lr_lambda": lambda settings: (
        f"{_warmup(settings)}linear 1..0 for {_rest(settings)}"
    ),
    "_get_cosine_schedule_with_warmup_lr_lambda": _cosine,
    "_get_polynomial_decay_schedule_with_warmup_lr_lambda": _polynomial,
    "_get_inverse_sqrt_schedule_lr_lambda": _inverse_sqrt,
}
"""The names in transformers' `optimization.py`; hard restarts round their cycles and stay tables."""
