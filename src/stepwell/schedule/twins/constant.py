"""ConstantLR."""

from __future__ import annotations

from stepwell.schedule.length import written
from stepwell.schedule.schedule import Schedule
from stepwell.schedule.text import parse
from stepwell.schedule.twins.arguments import count, number


def constant_lr(factor: float = 1.0 / 3, total_iters: int = 5) -> Schedule:
    """The schedule of torch's ConstantLR: `factor` for `total_iters` steps, then the base rate.

    A factor of 0 gives 0 and then the base rate, as documented; torch divides by it when the time is over.

    Raises:
        ScheduleError: a factor outside 0 to 1; a `total_iters` that is not a whole number of steps of at least 1:
            torch then stays at the factor for ever.

    Example:
        >>> constant_lr(0.5, 40)
        schedule('hold 0.5 for 40 | hold 1')
    """
    length = count("total_iters", total_iters, instead="leave the scheduler away where the base rate holds at once")
    return parse(f"hold {written(number('factor', factor, least=0.0, most=1.0))} for {length} | hold 1")
