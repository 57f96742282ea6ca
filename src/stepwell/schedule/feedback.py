"""Schedules with feedback, made of values: `schedule("cosine") * Plateau()`, or a controller alone, which holds."""

from __future__ import annotations

from dataclasses import replace

from stepwell.errors import ScheduleError
from stepwell.schedule.control import Controller
from stepwell.schedule.leaf import Phase
from stepwell.schedule.schedule import Entry, Schedule


def holding(controller: Controller) -> Schedule:
    """The schedule `hold` with a controller: feedback alone moves the rate."""
    return Schedule((Entry("lr", Phase("hold"), controller),))


def multiplied(schedule: Schedule, controller: Controller) -> Schedule:
    """The schedule with a controller on its rate; other entries stay as they are.

    Raises:
        ScheduleError: it has one already, or drives no rate.
    """
    names = [entry.name for entry in schedule.entries]
    if "lr" not in names:
        raise ScheduleError(f"a controller multiplies the rate, and {str(schedule)!r} has none; add 'lr: hold'")
    if schedule["lr"].controller is not None:
        raise ScheduleError(f"one controller may stand last, and {str(schedule)!r} has one already; leave one away")
    return Schedule(
        tuple(replace(entry, controller=controller) if entry.name == "lr" else entry for entry in schedule.entries)
    )
