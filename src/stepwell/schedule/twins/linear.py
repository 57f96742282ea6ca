"""LinearLR."""

from __future__ import annotations

from stepwell.errors import ScheduleError
from stepwell.schedule.length import written
from stepwell.schedule.schedule import Schedule
from stepwell.schedule.text import parse
from stepwell.schedule.twins.arguments import count, number


def linear_lr(start_factor: float = 1.0 / 3, end_factor: float = 1.0, total_iters: int = 5) -> Schedule:
    """The schedule of torch's LinearLR: a straight line between two factors over `total_iters` steps, then flat.

    Raises:
        ScheduleError: factors outside 0 to 1 or a start of 0, which torch refuses as well; a `total_iters` that is not
            a whole number of steps of at least 1: torch then stays at `start_factor` for ever.

    Example:
        >>> linear_lr(0.1, total_iters=500)
        schedule('linear 0.1..1 over 500')
    """
    start = number("start_factor", start_factor, least=0.0, most=1.0)
    if start == 0:
        raise ScheduleError(
            "start_factor is above 0 in torch, which multiplies its way up; without torch write "
            f"'linear 0..{end_factor} over {total_iters}'"
        )
    end = number("end_factor", end_factor, least=0.0, most=1.0)
    length = count("total_iters", total_iters, instead="leave the scheduler away for no warm-up")
    return parse(f"linear {written(start)}..{written(end)} over {length}")
