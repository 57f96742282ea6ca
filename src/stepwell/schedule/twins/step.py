"""StepLR."""

from __future__ import annotations

from stepwell.schedule.length import written
from stepwell.schedule.schedule import Schedule
from stepwell.schedule.text import parse
from stepwell.schedule.twins.arguments import count, number


def step_lr(step_size: int, gamma: float = 0.1) -> Schedule:
    """The schedule of torch's StepLR: multiplied by `gamma` after every `step_size` steps.

    Raises:
        ScheduleError: a `gamma` below 0; a `step_size` that is not a whole number of steps: torch takes 2.5 and falls
            at 5 and 10, and divides by 0 at the first step for 0.

    Example:
        >>> step_lr(30)
        schedule('steps x0.1 every 30')
    """
    stair = count("step_size", step_size, instead="leave the scheduler away if the rate shall not fall")
    factor = number("gamma", gamma, least=0.0)
    if factor == 0:
        return parse(f"hold for {stair} | hold 0")
    return parse(f"steps x{written(factor)} every {stair}")
