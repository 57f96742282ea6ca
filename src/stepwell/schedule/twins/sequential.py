"""SequentialLR."""

from __future__ import annotations

from collections.abc import Sequence as Several
from itertools import pairwise

from stepwell.errors import ScheduleError
from stepwell.schedule.recipes import schedule as read_schedule
from stepwell.schedule.schedule import Entry, Expression, Phase, Schedule, Sequence, Value
from stepwell.schedule.twins.arguments import count, listed
from stepwell.schedule.twins.joints import anchored, cut


def sequential_lr(schedulers: Several[Schedule | str], milestones: Several[int]) -> Schedule:
    """The schedule of torch's SequentialLR: the next one begins at each milestone, from the base rate, not from before.

    So a warm-up that is cut short jumps to the base. To go on from where the one before ended, write the phases in one
    text: `linear 0.1..1 over 500 for 500 | cosine to 0`. A momentum that only some members drive stays elsewhere as it
    was, and before the first of them at the optimizer's own.

    It gives what is documented where torch fails: a SequentialLR or ChainedScheduler as a member works as it does
    alone (torch is one step off, or stops with NotImplementedError), and a warm-up before OneCycleLR rises to the
    optimizer's rate (torch's rises to the first rate of OneCycleLR).

    Raises:
        ScheduleError: another number of milestones than one less than schedules; milestones that do not ascend from
            1: torch then leaves a schedule out, or goes back; feedback in a member.

    Example:
        >>> from stepwell import twins
        >>> sequential_lr([twins.step_lr(5, 0.5), twins.exponential_lr(0.9)], [20])
        schedule('steps 1 x0.5 every 5 for 20 | decay 1 x0.9 per 1')
    """
    members = list(map(read_schedule, listed("schedulers", schedulers, such_as="['linear 0..1 over 5', 'hold']")))
    places = [
        count("a milestone", place, instead="leave a schedule without steps away")
        for place in listed("milestones", milestones, such_as="[5]")
    ]
    if len(places) != len(members) - 1:
        raise ScheduleError(
            f"{len(members)} schedules have {max(len(members) - 1, 0)} milestones between them, got {len(places)}"
        )
    for one, following in pairwise(places):
        if following <= one:
            raise ScheduleError(f"milestones must ascend, but {following} follows {one}; sort them with the schedules")
    if any(entry.controller is not None for member in members for entry in member.entries):
        raise ScheduleError("a plateau multiplies the whole schedule; put it last: '(a | b) * plateau(x0.1)'")
    lengths = [following - one for one, following in pairwise([0, *places])]
    names = dict.fromkeys(entry.name for member in members for entry in member.entries)
    return Schedule(tuple(Entry(name, _joined(name, members, lengths)) for name in names))


def _joined(name: str, members: Several[Schedule], lengths: Several[int]) -> Expression:
    items: list[Expression] = []
    for member, length in zip(members, [*lengths, None], strict=True):
        entries = {entry.name: entry.expression for entry in member.entries}
        item: Expression = anchored(entries[name]) if name in entries else _unmoved(name)
        items.append(item if length is None else cut(item, length))
    return items[0] if len(items) == 1 else Sequence(tuple(items))


def _unmoved(name: str) -> Phase:
    """A member that drives another entry: the rate is at its base, anything else stays where it was."""
    return Phase("hold", start=Value(1.0) if name == "lr" else None)
