"""CosineAnnealingLR."""

from __future__ import annotations

from stepwell.schedule.schedule import Schedule
from stepwell.schedule.text import parse
from stepwell.schedule.twins.arguments import absolute, count, number


def cosine_annealing_lr(T_max: int, eta_min: float = 0.0) -> Schedule:  # noqa: N803 - torch's name
    """The schedule of torch's CosineAnnealingLR: down to the rate `eta_min` at `T_max`, then up again, and so on.

    It climbs past `T_max`, as torch does; to stay at the floor write `cosine 1..=0.001 over 50`.

    Raises:
        ScheduleError: a `T_max` that is not a whole number of steps of at least 1: torch divides by 0 at the first
            step; an `eta_min` below 0.

    Example:
        >>> cosine_annealing_lr(T_max=50, eta_min=1e-3)
        schedule('repeat (cosine 1..=0.001 for 50 | cosine to 1 for 50)')
    """
    length = count("T_max", T_max, instead="write 'cosine 1..0 over 7.5' for another")
    low = absolute(number("eta_min", eta_min, least=0.0))
    return parse(f"repeat (cosine 1..{low} for {length} | cosine to 1 for {length})")
