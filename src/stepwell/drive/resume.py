"""Going on from a saved state: what is checked before anything is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepwell.errors import ResumeError
from stepwell.schedule import Horizon
from stepwell.schedule import schedule as read_schedule

VERSION = 1


def check(saved: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    """Compare a saved scheduler state with the one that is to go on from it.

    Raises:
        ResumeError: not such a state, from a newer version, or of another schedule, horizon or base; the message has
            the rate that the saved run would go on with.
    """
    if "schedule" not in saved or "step" not in saved:
        raise ResumeError(f"this is not a Stepwell scheduler's state; it has {sorted(saved)}")
    if saved["version"] > VERSION:
        raise ResumeError(f"the state has version {saved['version']}, newer than {VERSION}; upgrade stepwell")
    for name in ("schedule", "horizon", "bases"):
        if saved[name] != here[name]:
            raise ResumeError(
                f"the saved run has {name} {saved[name]}, this one {here[name]}; the rate at step {saved['step']} was "
                f"{_rate(saved):.6g}. Build the Scheduler with what was saved, or do not load the state to start anew"
            )


def _rate(saved: Mapping[str, Any]) -> float:
    """The rate of the first parameter group that the saved run would go on with, feedback left out."""
    bases = {"base_lr" if name == "lr" else name: values[0] for name, values in saved["bases"].items()}
    curve = read_schedule(saved["schedule"]).resolve(Horizon(**saved["horizon"]), **bases)
    step = int(saved["step"])
    factor = (
        curve(step if curve.total_steps is None else min(step, curve.total_steps)) if "lr" in curve.entries else 1.0
    )
    return float(bases["base_lr"] * factor)
