"""Going on from a saved state: what is checked before anything is loaded, and what a changed plan means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from stepwell.drive.edit import Edit, read
from stepwell.drive.plan import Plan
from stepwell.drive.saved import VERSION, check
from stepwell.errors import ResumeError, ScheduleError
from stepwell.schedule import Curve, Horizon

OnChange = Literal["raise", "keep", "switch", "rescale"]
ON_CHANGE = ("raise", "keep", "switch", "rescale")
COMPARED = ("schedules", "horizon", "bases")
__all__ = ["COMPARED", "ON_CHANGE", "VERSION", "OnChange", "check", "explain", "rate_at", "reconciled"]
PER = (("steps_per_epoch", "per epoch"), ("tokens_per_step", "tokens per step"))
LOOK_AHEAD = 1_000_000  # updates that are compared for the worst later difference


def reconciled(saved: Mapping[str, Any], here: Plan, on_change: OnChange) -> Plan:
    """The plan to go on with: the saved one where nothing differs or it is to be kept, else the one that is here.

    Raises:
        ResumeError: the plans differ and `on_change` is `raise`, or the new plan cannot be rescaled.
        ScheduleError: a saved change of plan that cannot be laid over the run.
    """
    plan = _chosen(saved, here, on_change)
    plan.tracks()  # whatever is wrong with it is raised here, before anything has changed
    return plan


def _chosen(saved: Mapping[str, Any], here: Plan, on_change: OnChange) -> Plan:
    plain = here.plain()
    differ = [name for name in COMPARED if saved[name] != plain[name]]
    if not differ:
        return replace(here, edits=tuple(Edit.from_plain(edit) for edit in saved["edits"]))
    if on_change != "switch":
        _check_readable(saved["schedules"])
    if on_change == "keep":
        return Plan.from_plain(saved)
    if on_change == "raise":
        raise explain(saved, plain, differ)
    if on_change == "switch":
        return here
    step = int(saved["step"])
    old, new = rate_at(saved, step), rate_at(plain, step)
    if new <= 0:
        raise ResumeError(f"the new plan has rate {new:g} at step {step}, so it cannot be scaled; use 'switch'")
    return here.scaled(old / new)


def _check_readable(schedules: Sequence[Any]) -> None:
    """A plan that differs is told about or followed, so its schedules must be such as can be read from what is saved.

    Raises:
        ResumeError: one that cannot, as with a controller of the user's own.
    """
    for one in schedules:
        try:
            read(one)
        except ScheduleError as error:
            raise ResumeError(
                "the saved schedule is not this one and cannot be read, so it can be neither compared nor kept; build "
                f"the Scheduler as it was, or with on_change='switch': {error}"
            ) from None


def explain(saved: Mapping[str, Any], here: Mapping[str, Any], differ: Sequence[str]) -> ResumeError:
    """The error for a changed plan: what differs, the two rates now, the worst later step, and what to pass."""
    step = int(saved["step"])
    parts = []
    for name in differ:
        if name == "bases":
            parts += _changed_bases(saved["bases"], here["bases"])
        else:
            parts.append(f"{name.rstrip('s')} {_shown(saved, name)} became {_shown(here, name)}")
    old, new = rate_at(saved, step), rate_at(here, step)
    worst, old_worst, new_worst = _worst(saved, here, step)
    return ResumeError(
        f"the plan is not the saved one: {'; '.join(parts)}. At step {step} the rate was {old:.4g} and would be "
        f"{new:.4g}; at worst, at step {worst}, {old_worst:.4g} and {new_worst:.4g}. Build the Scheduler with "
        "on_change='keep' to go on as saved, 'switch' to take the new plan from here, or 'rescale' to take it scaled "
        "so that the rate goes on without a jump"
    )


def rate_at(state: Mapping[str, Any], step: int) -> float:
    """The rate of the first group at a step, by the plan alone: without edits and feedback."""
    return float(_rates(state, np.asarray([step]))[0])


def _rates(state: Mapping[str, Any], steps: Any) -> Any:
    curve, base = _curve(state)
    total = curve.total_steps
    within = steps if total is None else np.minimum(steps, total)
    return base * (curve(within) if "lr" in curve.entries else np.ones(len(steps)))


def _curve(state: Mapping[str, Any]) -> tuple[Curve, float]:
    bases = {name: values[0] for name, values in state["bases"].items() if values[0] is not None}
    base_lr = float(bases.pop("lr"))
    curve = read(state["schedules"][0]).resolve(Horizon(**state["horizon"]), base_lr=base_lr, **bases)
    return curve, base_lr


def _worst(saved: Mapping[str, Any], here: Mapping[str, Any], step: int) -> tuple[int, float, float]:
    """The later step at which the two plans differ most, and their rates there."""
    ends = [state["horizon"]["total_steps"] or step + LOOK_AHEAD for state in (saved, here)]
    steps = np.arange(step, max(step + 1, min(max(ends), step + LOOK_AHEAD)))
    old, new = _rates(saved, steps), _rates(here, steps)
    place = int(np.argmax(np.abs(old - new)))
    return int(steps[place]), float(old[place]), float(new[place])


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
