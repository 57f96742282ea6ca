"""A live scheduler of torch, transformers or timm read into a schedule."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.optim import lr_scheduler

from stepwell.drive import entries, feedback, live, timm
from stepwell.errors import HorizonError, ScheduleError
from stepwell.schedule import Curve, Horizon, Schedule
from stepwell.schedule.length import Length
from stepwell.schedule.schedule import Entry, Product, Suffix, Table, Value
from stepwell.schedule.table import Values

SAME = 1e-9  # of value and base: torch's own recursion drifts by up to 1e-10, another schedule is further away
SAME_FLOAT32 = 1e-3  # a rate in a float32 tensor is rounded at every step: 7e-5 off after 5000 steps
CHECKED_STEPS = 500
"""As many steps are compared where neither `total_steps` nor the scheduler itself says how many there are."""

MEASURE = "; pass total_steps= to write down what torch does at every step"

Array = NDArray[np.float64]


def from_torch(scheduler: Any, *, total_steps: int | None = None) -> Schedule:
    """The schedule that a live scheduler follows from its very start, whatever step it has come to.

    It reads the parameters into the scheduler's twin, makes the same scheduler anew on a stand-in for the optimizer,
    runs both and compares. Where the twin is refused or differs, as for members that torch lets overwrite each other,
    the schedule is a table of what torch did. A function becomes a table too, unless it is one of transformers' that a
    text can say. Steps are calls of `step()`; timm's schedulers that count epochs give lengths in `ep`.

    Args:
        scheduler: any of torch's, nested or not; SWALR; what transformers' `get_scheduler` returns; timm's.
        total_steps: calls of `step()` in the run (epochs for timm's that count them): over as many it is compared, and
            as long is a table. Needed where nothing else tells how long a table is.

    Give it to a `Scheduler` on a new optimizer. Its factors are relative to the rates that the optimizer was made with;
    where OneCycleLR or CyclicLR have a list of rates they are relative to that list, which is then passed as `base_lr`.

    Raises:
        ScheduleError: an unknown kind; a table of unknown length; groups that move apart; a live rate that its
            parameters do not explain, because somebody has changed the rate or torch itself went on wrongly.

    Example:
        >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
        >>> from_torch(torch.optim.lr_scheduler.StepLR(optimizer, 30))
        schedule('steps x0.1 every 30')
    """
    listening = feedback.read(scheduler)
    if listening is not None:
        return listening
    if timm.is_one(scheduler):
        return timm.read(scheduler, total_steps)
    if not isinstance(scheduler, lr_scheduler.LRScheduler):
        raise ScheduleError(
            f"from_torch reads schedulers of torch, transformers and timm, got {type(scheduler).__name__}"
        )
    bases = live.bases(scheduler)
    try:
        twin, reason = live.twin_of(scheduler, total_steps), ""
    except ScheduleError as error:
        if type(scheduler) not in live.KINDS and not hasattr(scheduler, "_schedulers"):
            raise
        twin, reason = None, str(error)
    if twin is None and total_steps is None:
        raise ScheduleError(f"{reason}{MEASURE}")
    steps = _compared_steps(scheduler, total_steps, twin)
    measured = _measured(scheduler, max(steps, live.last_step(scheduler) + 1))
    _check_live(scheduler, measured)
    if twin is not None:
        reason = _difference(twin, {name: values[:steps] for name, values in measured.items()}, bases)
        if not reason:
            return twin
    if total_steps is None:
        raise ScheduleError(f"{reason}{MEASURE}")
    own = any(map(live.sets_rates, live.leaves(scheduler)))
    return _table({name: values[: total_steps + 1] for name, values in measured.items()}, None if own else bases)


def _compared_steps(scheduler: Any, total_steps: int | None, twin: Schedule | None) -> int:
    """How many rates are compared: those of all updates, and the one after the last where torch still gives it."""
    ends = [leaf.total_steps for leaf in live.leaves(scheduler) if isinstance(leaf, lr_scheduler.OneCycleLR)]
    if ends and scheduler is next(live.leaves(scheduler)):
        return min(ends)
    if total_steps is not None:
        return total_steps + 1
    own = None if twin is None else _own_length(twin)
    return CHECKED_STEPS if own is None else own


def _own_length(twin: Schedule) -> int | None:
    try:
        return twin.resolve(Horizon(), base_lr=1.0, momentum=1.0).total_steps
    except HorizonError:
        return None


def _measured(scheduler: Any, steps: int) -> dict[str, Array]:
    """What the scheduler, made anew, sets at every step: entry -> shape (steps, groups)."""
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))], "lr": rate} for rate in live.first_rates(scheduler)]
    stand_in = torch.optim.SGD(groups, lr=1.0, momentum=0.5)
    rates: list[list[float]] = []
    momenta: list[list[float]] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the stand-in makes no updates, which torch warns of
        again = live.rebuilt(scheduler, stand_in)
        for step in range(steps):
            if step:
                _step(again, step)
            rates.append([entries.read(group, "lr") for group in stand_in.param_groups])
            momenta.append([entries.read(group, "momentum") for group in stand_in.param_groups])
    measured = {"lr": np.array(rates)}
    if np.any(np.array(momenta) != 0.5):
        measured["momentum"] = np.array(momenta)
    return measured


def _step(scheduler: Any, step: int) -> None:
    try:
        scheduler.step()
    except (ArithmeticError, ValueError, RuntimeError) as error:
        raise ScheduleError(
            f"torch's own {type(scheduler).__name__} fails at step {step} of this run: {type(error).__name__}, {error}"
        ) from error


def _check_live(scheduler: Any, measured: dict[str, Array]) -> None:
    """The live rates must be those of the scheduler made anew, at the step it has come to."""
    step = live.last_step(scheduler)
    now = [entries.read(group, "lr") for group in scheduler.optimizer.param_groups]
    then = measured["lr"][step]
    rates = [group["lr"] for group in scheduler.optimizer.param_groups]
    rounded = any(isinstance(rate, torch.Tensor) and rate.dtype != torch.float64 for rate in rates)
    same = SAME_FLOAT32 if rounded else SAME
    if not np.allclose(now, then, rtol=same, atol=same * float(np.max(np.abs(then)))):
        raise ScheduleError(
            f"the optimizer is at the rate {_shown(now)} at step {step}, where a {type(scheduler).__name__} with these "
            f"parameters has {_shown(then)}: the rate was changed by hand, by another scheduler, or by a resume in the "
            "wrong order; read the scheduler before that, or write the schedule from its parameters with stepwell.twins"
        )


def _difference(twin: Schedule, measured: dict[str, Array], bases: Sequence[float]) -> str:
    """Where the twin differs from what was measured, in words; empty if it does not."""
    if {entry.name for entry in twin.entries} != set(measured):
        return f"{str(twin)!r} drives {[entry.name for entry in twin.entries]}, torch {list(measured)}"
    for index, base in enumerate(bases):
        curve = _laid(twin, len(measured["lr"]), base)
        last = len(measured["lr"]) - 1 if curve.total_steps is None else curve.total_steps
        steps = np.minimum(np.arange(len(measured["lr"])), last)
        for name, values in measured.items():
            unit = base if name == "lr" else 1.0
            ours, theirs = curve(steps, name) * unit, values[:, index]
            apart = np.abs(ours - theirs) / (np.abs(theirs) + unit)
            if apart.max() > SAME:
                step = int(apart.argmax())
                return (
                    f"{str(twin)!r} gives {name} {ours[step]:.6g} at step {step}, where torch's own run has "
                    f"{theirs[step]:.6g}"
                )
    return ""


def _laid(twin: Schedule, steps: int, base: float) -> Curve:
    try:
        return twin.resolve(Horizon(), base_lr=base, momentum=1.0)
    except HorizonError:  # what grows needs an end
        return twin.resolve(Horizon(steps), base_lr=base, momentum=1.0)


def _table(measured: dict[str, Array], bases: Sequence[float] | None) -> Schedule:
    """What was measured: factors of the bases, or the values themselves."""
    made = []
    for name, values in measured.items():
        absolute = bases is None or name != "lr"
        columns = values if bases is None or absolute else values / np.asarray(bases)
        if not np.allclose(columns, columns[:, :1], rtol=SAME, atol=0):
            raise ScheduleError("the parameter groups move apart under this scheduler; make one Scheduler per group")
        table = Table(Values.of(columns[:, 0]), suffix=Suffix(length=Length(float(len(columns) - 1))))
        made.append(Entry(name, Product((Value(1.0, absolute=True), table)) if absolute else table))
    return Schedule(tuple(made))


def _shown(rates: Any) -> str:
    return ", ".join(f"{float(rate):.6g}" for rate in rates)
