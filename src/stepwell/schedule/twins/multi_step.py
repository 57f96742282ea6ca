"""MultiStepLR."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from stepwell.errors import ScheduleError
from stepwell.schedule.length import written
from stepwell.schedule.schedule import Schedule
from stepwell.schedule.text import parse
from stepwell.schedule.twins.arguments import count, listed, number


def multi_step_lr(milestones: Iterable[int], gamma: float = 0.1) -> Schedule:
    """The schedule of torch's MultiStepLR: multiplied by `gamma` at each of the steps `milestones`.

    A state of the `Scheduler` survives JSON; torch's own loses its milestones there and never falls again.

    Raises:
        ScheduleError: milestones that do not ascend (torch's documentation asks for it, its code does not), or are not
            whole steps of at least 0: torch passes them over; a `gamma` below 0.

    Example:
        >>> multi_step_lr([30, 60])
        schedule('steps x0.1 at 30 60')
    """
    places = [
        0 if milestone == 0 else count("a milestone", milestone, instead="torch would never reach it")
        for milestone in listed("milestones", milestones, such_as="[30, 60]")
    ]
    for one, following in pairwise(places):
        if following <= one:
            raise ScheduleError(f"milestones must ascend, but {following} follows {one}; pass {sorted(set(places))}")
    factor = number("gamma", gamma, least=0.0)
    if not places:
        return parse("hold")
    if factor == 0:
        return parse(f"hold for {places[0]} | hold 0" if places[0] else "hold 0")
    return parse(f"steps x{written(factor)} at {' '.join(map(str, places))}")
