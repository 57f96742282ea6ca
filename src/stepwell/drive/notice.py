"""What a Scheduler notices while it works: it was asked for more updates than planned, or it is not alone."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

from torch.optim import Optimizer

from stepwell.drive.follow import stack_level
from stepwell.drive.groups import WRITTEN
from stepwell.errors import OptimizerError, OptionError
from stepwell.finding import Finding


def overrun(total: int, rate: float) -> Finding:
    """SW101: the run goes on after the end of its schedule; said aloud too."""
    message = f"the schedule ends after {total} updates; the run goes on at the last rate, {rate:.3g}"
    return _said(Finding("SW101", f"step {total}", message, (("total_steps", total), ("lr", rate))))


def overwritten(optimizer: Optimizer, step: int) -> Finding | None:
    """SW110: somebody else has changed the first group's rate since it was written; None if nobody has.

    Raises:
        OptimizerError: it was a torch scheduler, which would do it again.
    """
    group: Mapping[str, Any] = optimizer.param_groups[0]
    if WRITTEN not in group:  # its rate is not scheduled
        return None
    written, found = float(group[WRITTEN]), float(group["lr"])
    if math.isclose(found, written, rel_tol=1e-6):  # a tensor may have rounded it
        return None
    if getattr(optimizer.step, "_wrapped_by_lr_sched", False):
        raise OptimizerError(
            f"a torch scheduler was put on this optimizer too and changed the rate from {written:.3g} to {found:.3g}; "
            "put both shapes into one schedule text"
        )
    if step < 0:  # torch's SequentialLR has put the base rates back, and makes the first step again
        return None
    message = f"the rate was changed from {written:.3g} to {found:.3g} by other code, and the schedule sets it again"
    return _said(Finding("SW110", f"step {step}", message, (("written", written), ("found", found))))


def no_argument(*, metric: bool) -> OptionError:
    """What `step` says to an argument: torch's ReduceLROnPlateau takes a metric there, its others took an epoch."""
    if metric:
        return OptionError(
            "step() takes no metric: give it to observe(value), and call step() after every optimizer.step()"
        )
    return OptionError("step() takes no epoch: it moves on by one update; call it after every optimizer.step()")


def _said(finding: Finding) -> Finding:
    warnings.warn(str(finding), UserWarning, stack_level())
    return finding
