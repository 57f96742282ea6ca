"""CosineAnnealingWarmRestarts."""

from __future__ import annotations

from stepwell.schedule.schedule import Schedule
from stepwell.schedule.text import parse
from stepwell.schedule.twins.arguments import absolute, count, number


def cosine_annealing_warm_restarts(T_0: int, T_mult: int = 1, eta_min: float = 0.0) -> Schedule:  # noqa: N803 - torch's names
    """The schedule of torch's CosineAnnealingWarmRestarts: cosines to the rate `eta_min`, each `T_mult` times longer.

    It equals what torch does when `step()` is called without an epoch. `step(epoch)` misses some restarts in torch
    (`T_mult=3` at 121 times `T_0`); here none is missed.

    Raises:
        ScheduleError: a `T_0` or `T_mult` that is not a whole number of at least 1; an `eta_min` below 0.

    Example:
        >>> cosine_annealing_warm_restarts(10, 2)
        schedule('repeat (cosine 1..0 for 10) longer x2')
    """
    length = count("T_0", T_0, instead="torch refuses it as well")
    longer = count("T_mult", T_mult, instead="torch refuses it as well; write 'longer x1.5' in the text for another")
    low = absolute(number("eta_min", eta_min, least=0.0))
    text = f"repeat (cosine 1..{low} for {length})"
    return parse(text if longer == 1 else f"{text} longer x{longer}")
