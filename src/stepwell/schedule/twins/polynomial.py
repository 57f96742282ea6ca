"""PolynomialLR."""

from __future__ import annotations

from stepwell.schedule.length import written
from stepwell.schedule.schedule import Schedule
from stepwell.schedule.text import parse
from stepwell.schedule.twins.arguments import count, number


def polynomial_lr(total_iters: int = 5, power: float = 1.0) -> Schedule:
    """The schedule of torch's PolynomialLR: the remaining share of `total_iters` to a power, then 0.

    Raises:
        ScheduleError: a `total_iters` that is not a whole number of steps of at least 1: torch then does nothing,
            where its documentation speaks of a decay to 0; a `power` below 0, for which torch divides by 0.

    Example:
        >>> polynomial_lr(60, 2)
        schedule('poly(2) 1..0 over 60')
    """
    length = count("total_iters", total_iters, instead="leave the scheduler away if the rate shall not fall")
    exponent = number("power", power, least=0.0)
    if exponent == 0:
        return parse("hold")
    return parse(f"poly({written(exponent)}) 1..0 over {length}")
