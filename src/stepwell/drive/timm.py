"""timm's schedulers, known by their methods and attributes; timm itself is not imported."""

from __future__ import annotations

from typing import Any

import numpy as np

from stepwell.errors import HorizonError, ScheduleError
from stepwell.schedule import Horizon, Schedule, parse
from stepwell.schedule.length import Length, Unit, written
from stepwell.schedule.schedule import Entry, Suffix, Table, Value
from stepwell.schedule.table import Values

NEEDED = ("_get_lr", "param_group_field", "base_values", "t_in_epochs", "optimizer")


def is_one(scheduler: object) -> bool:
    """Whether it has what every scheduler of timm has."""
    return all(hasattr(scheduler, name) for name in NEEDED)


def read(scheduler: Any, total_steps: int | None) -> Schedule:
    """A text for the cosine without restarts, else a table of all its values; in epochs where it counts them.

    Raises:
        ScheduleError: noise; no `total_steps`; groups that move apart, as from a warm-up to one rate for all or to a
            floor of one rate.
    """
    if scheduler.noise_range_t is not None:
        raise ScheduleError(
            "the scheduler adds noise to its rates, which no schedule repeats; build it without noise_range_t"
        )
    if any(group.get("lr_scale", 1.0) != 1.0 for group in scheduler.optimizer.param_groups):
        raise ScheduleError(
            "the parameter groups have an lr_scale, which only timm applies; multiply each group's lr and initial_lr "
            "by its lr_scale and take lr_scale out"
        )
    if total_steps is None:
        raise ScheduleError(
            "timm's schedulers do not tell how long the run is; pass total_steps=, in epochs where they count epochs"
        )
    values = np.array([scheduler._get_lr(t) for t in range(total_steps + 1)], dtype=np.float64)
    bases = np.array(scheduler.base_values, dtype=np.float64)
    unit = Unit.EPOCHS if scheduler.t_in_epochs else Unit.STEPS
    text = _cosine(scheduler, unit)
    if text is not None and _agrees(text, values, bases):
        return _named(scheduler, text)
    factors = values / bases
    if not np.allclose(factors, factors[:, :1], rtol=1e-9, atol=0):
        raise ScheduleError("the parameter groups move apart under this scheduler; make one Scheduler per group")
    over = Length(float(total_steps + 1), unit) if unit is Unit.EPOCHS else None
    table = Table(Values.of(factors[:, 0]), over=over, suffix=Suffix(length=Length(float(total_steps), unit)))
    return Schedule((Entry(scheduler.param_group_field, table),))


def _named(scheduler: Any, one: Schedule) -> Schedule:
    return Schedule((Entry(scheduler.param_group_field, one["lr"].expression),))


def _cosine(scheduler: Any, unit: Unit) -> Schedule | None:
    """The text of a CosineLRScheduler that neither restarts nor bends."""
    if type(scheduler).__name__ != "CosineLRScheduler" or scheduler.cycle_limit != 1 or scheduler.k_decay != 1:
        return None
    warmup, length = scheduler.warmup_t, scheduler.t_initial
    floor = Value(float(scheduler.lr_min), absolute=scheduler.lr_min != 0)
    begin = "" if scheduler.warmup_prefix or not warmup else f" from {warmup}{unit}"
    text = f"cosine 1..{floor} over {length}{unit}{begin}"
    if warmup:
        start = f"={written(float(scheduler.warmup_lr_init))}" if scheduler.warmup_lr_init else "0"
        text = f"linear {start}..1 for {warmup}{unit}{'' if scheduler.warmup_lr_init else ' @left'} | {text}"
    return parse(f"({text}) by 1{unit}" if unit is Unit.EPOCHS else text)


def _agrees(text: Schedule, values: Any, bases: Any) -> bool:
    """Whether the text gives the same values, an epoch taken as a step."""
    steps = np.arange(len(values))
    for index, base in enumerate(bases):
        try:
            curve = text.resolve(Horizon(None, steps_per_epoch=1), base_lr=float(base))
        except HorizonError:
            return False
        if not np.allclose(curve(steps) * base, values[:, index], rtol=1e-9, atol=1e-12 * base):
            return False
    return True
