"""ChainedScheduler."""

from __future__ import annotations

from collections.abc import Sequence

from stepwell.errors import ScheduleError
from stepwell.schedule.recipes import schedule as read_schedule
from stepwell.schedule.schedule import Entry, Product, Schedule, absolute_values
from stepwell.schedule.twins.arguments import listed


def chained_scheduler(schedulers: Sequence[Schedule | str]) -> Schedule:
    """The product of several schedules, which is what torch's ChainedScheduler gives where its members only multiply.

    It equals torch for any of StepLR, MultiStepLR, ExponentialLR, ConstantLR, LinearLR, PolynomialLR, MultiplicativeLR
    and CosineAnnealingLR with `eta_min=0` up to `T_max`. Elsewhere torch's members overwrite each other: past `T_max`
    a cosine climbs on the base rate and forgets the others, and warm restarts and LambdaLR erase what stands before
    them. Here the product goes on.

    Raises:
        ScheduleError: no schedules; one with an absolute value (`eta_min`, CyclicLR, OneCycleLR), which sets the rate
            instead of multiplying it; one that drives another entry than the rate, or has feedback.

    Example:
        >>> from stepwell import twins
        >>> chained_scheduler([twins.constant_lr(0.1, 5), twins.exponential_lr(0.9)])
        schedule('(hold 0.1 for 5 | hold 1) * (decay x0.9 per 1)')
    """
    members = list(map(read_schedule, listed("schedulers", schedulers, such_as="['linear 0..1 over 5', 'hold']")))
    if not members:
        raise ScheduleError("chained_scheduler needs at least one schedule")
    for member in members:
        if [entry.name for entry in member.entries] != ["lr"] or member["lr"].controller is not None:
            raise ScheduleError(f"chained_scheduler multiplies rates alone, got {str(member)!r}")
        if len(members) > 1 and absolute_values(member["lr"].expression):
            raise ScheduleError(
                f"{str(member)!r} sets an absolute rate, so it cannot multiply another; torch would let the last of "
                "them win. Use sequential_lr for one after the other, or write the floor as a factor"
            )
    if len(members) == 1:
        return members[0]
    return Schedule((Entry("lr", Product(tuple(member["lr"].expression for member in members))),))
