"""Going on from a saved state: what is checked before anything is loaded, and what a changed plan means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from stepwell.drive.edit import Edit, read
from stepwell.drive.plan import Plan
from stepwell.errors import ResumeError
from stepwell.schedule import Curve, Horizon

VERSION = 1
OnChange = Literal["raise", "keep", "switch", "rescale"]
ON_CHANGE = ("raise", "keep", "switch", "rescale")
COMPARED = ("schedules", "horizon", "bases")
FIELDS = ("version", "step", *COMPARED, "edits", "controllers", "findings")
LOOK_AHEAD = 1_000_000  # updates that are compared for the worst later difference


def check(saved: Mapping[str, Any]) -> None:
    """Refuse what is not the state of a Stepwell Scheduler, or comes from a newer version.

    Raises:
        ResumeError: says which.
    """
    if "schedules" not in saved or "step" not in saved:
        raise ResumeError(f"this is not a Stepwell scheduler's state; it has {sorted(map(str, saved))}")
    missing = [name for name in FIELDS if name not in saved]
    if missing:
        raise ResumeError(f"the state is incomplete: it lacks {', '.join(missing)}")
    if saved["version"] > VERSION:
        raise ResumeError(f"the state has version {saved['version']}, newer than {VERSION}; upgrade stepwell")


def reconciled(saved: Mapping[str, Any], here: Plan, on_change: OnChange) -> Plan:
    """The plan to go on with: the saved one where nothing differs or it is to be kept, else the one that is here.

    Raises:
        ResumeError: the plans differ and `on_change` is `raise`, or the new plan cannot be rescaled.
    """
    plain = here.plain()
    differ = [name for name in COMPARED if saved[name] != plain[name]]
    if not differ:
        return replace(here, edits=tuple(Edit.from_plain(edit) for edit in saved["edits"]))
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


def explain(saved: Mapping[str, Any], here: Mapping[str, Any], differ: Sequence[str]) -> ResumeError:
    """The error for a changed plan: what differs, the two rates now, the worst later step, and what to pass."""
    step = int(saved["step"])
    names = {"schedules": "schedule", "horizon": "horizon", "bases": "base rate"}
    parts = [f"{names[name]} {_shown(saved, name)} became {_shown(here, name)}" for name in differ]
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
    if name == "horizon":
        return f"of {state[name]['total_steps'] or 'any number of'} steps"
    return ", ".join(f"{rate:g}" for rate in state[name]["lr"])
