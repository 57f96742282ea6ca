"""Going on from a saved state: what is checked before anything is loaded, and what a changed plan means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from stepwell.drive.edit import Edit, read
from stepwell.drive.observed import Observed, named
from stepwell.drive.plan import Plan
from stepwell.drive.saved import VERSION, check
from stepwell.drive.track import Track
from stepwell.errors import ResumeError, ScheduleError
from stepwell.schedule import Schedule

OnChange = Literal["raise", "keep", "switch", "rescale"]
ON_CHANGE = ("raise", "keep", "switch", "rescale")
COMPARED = ("schedules", "horizon", "bases")
__all__ = ["COMPARED", "ON_CHANGE", "VERSION", "OnChange", "check", "reconciled"]
PER = (("steps_per_epoch", "per epoch"), ("tokens_per_step", "tokens per step"))
LOOK_AHEAD = 1_000_000  # updates that are compared for the worst later difference
CHUNK = 1 << 16  # of them at once


def reconciled(saved: Mapping[str, Any], here: Plan, on_change: OnChange) -> tuple[Plan, Observed]:
    """The plan to go on with, and what is known of the metric.

    It is the saved plan where nothing differs or it is to be kept, else the one that is here. Feedback goes on from
    where it was saved if it is of the same kind, and else starts anew.

    Raises:
        ResumeError: the plans differ and `on_change` is `raise`, or the new plan cannot be rescaled.
        ScheduleError: a saved change of plan that cannot be laid over the run.
    """
    plain = here.plain()
    differ = [name for name in COMPARED if saved[name] != plain[name]]
    if not differ:
        edits = tuple(Edit.from_plain(edit) for edit in saved["edits"])
        course = _course(replace(here, edits=edits), saved, here.schedules)
    elif on_change == "switch":
        course = _course(here, saved, here.schedules if "schedules" not in differ else _readable(saved["schedules"]))
    else:
        schedules = here.schedules if "schedules" not in differ else _read(saved["schedules"])
        old = _course(Plan.from_plain(saved, schedules), saved, schedules)
        course = old if on_change == "keep" else _course(here, saved, schedules)
        if on_change == "raise":
            raise _explained(saved, plain, differ, old, course)
        if on_change == "rescale":
            course = _rescaled(int(saved["step"]), old, course)
    return course.plan, course.observed


@dataclass(frozen=True, slots=True)
class _Course:
    """A plan, laid over its run, and what is known of the metric."""

    plan: Plan
    observed: Observed
    track: Track | None  # of the rate; None where the plan leaves it alone

    def rates(self, steps: NDArray[np.int64], group: int) -> NDArray[np.float64]:
        """What a group's rate is at ascending steps as long as feedback says nothing more, shape (n,)."""
        base = self.plan.bases["lr"][group] or 0.0
        factors = np.ones(len(steps)) if self.track is None else self.track.over(steps, group)
        fed = self.observed.factors("lr")
        return base * factors * (1.0 if fed is None else fed[group])

    def rate(self, step: int, group: int) -> float:
        """The same at one step."""
        return float(self.rates(np.asarray([step]), group)[0])

    @property
    def end(self) -> int | None:
        """Where its rate has come to its end."""
        return 0 if self.track is None else self.track.stretches[-1].end


def _course(plan: Plan, saved: Mapping[str, Any], schedules: Sequence[Schedule]) -> _Course:
    """The plan with the saved feedback; `schedules` are those that it was saved under."""
    tracks = {track.entry: track for track in plan.tracks()}  # whatever is wrong with it is raised here
    observed = Observed.nothing().following(plan.schedules, plan.bases["lr"])
    known, _ = named(schedules)
    return _Course(plan, observed.restored(saved["controllers"], known), tracks.get("lr"))


def _rescaled(step: int, old: _Course, new: _Course) -> _Course:
    """The new plan with the rate of every group scaled so that it goes on without a jump."""
    ratios = []
    for group in range(len(new.plan.schedules)):
        before, after = old.rate(step, group), new.rate(step, group)
        if before != after and not (before > 0 and after > 0):
            raise ResumeError(
                f"the rate{_of_group(group, new)} at step {step} is {before:g} under the saved plan and {after:g} "
                "under the new one, so it cannot be scaled; use 'switch'"
            )
        ratios.append(before / after if after else 1.0)
    return replace(new, plan=new.plan.scaled(ratios))


def _read(schedules: Sequence[Any]) -> tuple[Schedule, ...]:
    """The saved schedules. A plan that differs is told about or followed, so it must be one that can be read.

    Raises:
        ResumeError: one that cannot, as with a controller of the user's own.
    """
    try:
        return tuple(map(read, schedules))
    except ScheduleError as error:
        raise ResumeError(
            "the saved schedule is not this one and cannot be read, so it can be neither compared nor kept; build "
            f"the Scheduler as it was, or with on_change='switch': {error}"
        ) from None


def _readable(schedules: Sequence[Any]) -> tuple[Schedule, ...]:
    """The saved schedules, or none where one cannot be read: all feedback then starts anew."""
    try:
        return tuple(map(read, schedules))
    except ScheduleError:
        return ()


def _explained(
    saved: Mapping[str, Any], here: Mapping[str, Any], differ: Sequence[str], old: _Course, new: _Course
) -> ResumeError:
    """The error for a changed plan: what differs, the two rates now, the worst later step, and what to pass."""
    parts = []
    for name in differ:
        if name == "bases":
            parts += _changed_bases(saved["bases"], here["bases"])
        else:
            parts.append(f"{name.rstrip('s')} {_shown(saved, name)} became {_shown(here, name)}")
    return ResumeError(
        f"the plan is not the saved one: {'; '.join(parts)}. {_compared(int(saved['step']), old, new)}. Build the "
        "Scheduler with on_change='keep' to go on as saved, 'switch' to take the new plan from here, or 'rescale' to "
        "take it scaled so that the rate goes on without a jump"
    )


def _compared(step: int, old: _Course, new: _Course) -> str:
    """The rates of the group that changes most, now and at the worst later step."""
    worst = max((_worst(step, group, old, new) for group in _different_groups(old, new)), key=lambda one: one[0])
    apart, at, group = worst
    if apart == 0:
        return f"From step {step} on the rates are the same, {old.rate(step, 0):.4g} now"
    now, then = (f"{old.rate(t, group):.4g} and {{}}{new.rate(t, group):.4g}" for t in (step, at))
    return (
        f"At step {step} the rate{_of_group(group, new)} was {now.format('would be ')}; "
        f"at worst, at step {at}, {then.format('')}"
    )


def _different_groups(old: _Course, new: _Course) -> list[int]:
    """Of all groups whose rates are multiples of each other's the one with the highest, which are furthest apart."""

    def scale(course: _Course, group: int) -> float:
        fed = course.observed.factors("lr")
        return (course.plan.bases["lr"][group] or 0.0) * (1.0 if fed is None else fed[group])

    def curves(course: _Course, group: int) -> tuple[int, ...]:
        return tuple(id(one.curves[group]) for one in course.track.stretches) if course.track is not None else ()

    highest: dict[tuple[object, ...], tuple[float, int]] = {}
    for group in range(len(new.plan.schedules)):
        before, after = scale(old, group), scale(new, group)
        shape = curves(old, group), curves(new, group), round(after / (before + after), 12) if before + after else 0.0
        if shape not in highest or before + after > highest[shape][0]:
            highest[shape] = (before + after, group)
    return [group for _, group in highest.values()]


def _worst(step: int, group: int, old: _Course, new: _Course) -> tuple[float, int, int]:
    """The largest later difference of a group's rate, the first step that has it, and the group."""
    furthest = step + LOOK_AHEAD
    end = max(furthest if course.end is None else course.end for course in (old, new))
    bounds = [*range(step, max(step + 1, min(end, furthest)), CHUNK), max(step + 1, min(end, furthest))]
    found = (0.0, step, group)
    for first, stop in pairwise(bounds):
        steps = np.arange(first, stop)
        apart = np.abs(old.rates(steps, group) - new.rates(steps, group))
        place = int(apart.argmax())
        if apart[place] > found[0]:
            found = (float(apart[place]), int(steps[place]), group)
    return found


def _of_group(group: int, course: _Course) -> str:
    return f" of parameter group {group}" if len(course.plan.schedules) > 1 else ""


def _shown(state: Mapping[str, Any], name: str) -> str:
    if name == "schedules":
        return " / ".join(dict.fromkeys(repr(str(read(one))) for one in state[name]))
    run = state[name]
    figures = [f"{run['total_steps'] or 'any number of'} steps"]
    figures += [f"{run[figure]:g} {words}" for figure, words in PER if run[figure] is not None]
    return f"of {', '.join(figures)}"


def _changed_bases(saved: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """What the base values of every entry that differs were and are."""
    names = [name for name in dict.fromkeys([*saved, *here]) if saved.get(name) != here.get(name)]
    return [
        f"base {'rate' if name == 'lr' else name} {_numbers(saved.get(name))} became {_numbers(here.get(name))}"
        for name in names
    ]


def _numbers(values: Sequence[float | None] | None) -> str:
    return ", ".join("none" if value is None else f"{value:g}" for value in values or [None])
