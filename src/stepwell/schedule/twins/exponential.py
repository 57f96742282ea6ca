"""ExponentialLR."""

from __future__ import annotations

from stepwell.schedule.length import written
from stepwell.schedule.schedule import Schedule
from stepwell.schedule.text import parse
from stepwell.schedule.twins.arguments import number


def exponential_lr(gamma: float) -> Schedule:
    """The schedule of torch's ExponentialLR: multiplied by `gamma` at every step.

    Raises:
        ScheduleError: a `gamma` below 0, which would turn the sign of the rate at every step.

    Example:
        >>> exponential_lr(0.9)
        schedule('decay x0.9 per 1')
    """
    factor = number("gamma", gamma, least=0.0)
    return parse(f"decay x{written(factor)} per 1" if factor else "hold for 1 | hold 0")
