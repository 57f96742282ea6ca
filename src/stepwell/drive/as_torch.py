"""What torch and the frameworks around it expect of an LRScheduler: its rates, its count, and who may set them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.optim.lr_scheduler import LRScheduler

from stepwell.drive import entries
from stepwell.drive.follow import refuse_later_member
from stepwell.drive.observed import Observed
from stepwell.drive.plan import Plan
from stepwell.drive.track import Ahead, Track
from stepwell.errors import OptimizerError, OptionError
from stepwell.schedule.length import whole_number

LATER_MEMBER = (
    "a Scheduler cannot be a later member of torch's SequentialLR, which sets the rates of its members itself; put "
    "both shapes into one schedule text: 'linear 0.1..1 for 500 | cosine to 0'"
)


class _Count(int):
    """A number of calls that is within any total, also within None: accelerate asks `_step_count <= total_steps`."""

    def __le__(self, total: int | None) -> bool:
        return total is None or int(self) <= total


class AsTorch(LRScheduler):
    """A scheduler whose rates are those in the optimizer and whose base rates are those of its plan."""

    _plan: Plan
    _now: int  # the number of the coming update
    _observed: Observed
    _tracks: list[tuple[Track, Ahead | None]]
    _hooks: list[Callable[[], None]]  # what ends its listening to the optimizer

    @property
    def last_epoch(self) -> int:
        """The number of the coming update, as torch calls it."""
        return self._now

    @last_epoch.setter
    def last_epoch(self, value: int) -> None:
        number = whole_number(value)
        if number is None:
            raise OptionError(f"last_epoch is the number of the coming update, a whole number; got {value!r:.60}")
        self._now = number
        if number < 0:  # a SequentialLR takes back the first step of every member, and makes it again for the first
            self._hooks.append(refuse_later_member(self, LATER_MEMBER))

    @property
    def _step_count(self) -> int:
        """How often torch's own would have been called: once when it is built, and at every step since."""
        return _Count(self._now + 1)

    @_step_count.setter
    def _step_count(self, value: int) -> None:
        """It follows from the number of the coming update; torch's combinators set it before they step."""

    def get_last_lr(self) -> list[Any]:
        """The rate of every group for the coming update."""
        return [entries.read(group, "lr") for group in self.optimizer.param_groups]

    def get_lr(self) -> list[float | torch.Tensor]:
        """The rate that the plan has for update `last_epoch`; ignite counts that on and writes the rates itself."""
        rates: list[float | torch.Tensor] = self.get_last_lr()
        fed = self._observed.factors("lr")
        for track in (track for track, _ in self._tracks if track.entry == "lr"):
            factors = track.factors(max(self._now, 0))
            for index, (base, factor) in enumerate(zip(track.bases, factors, strict=True)):
                if base is not None and factor is not None:
                    rates[index] = base * factor * (1.0 if fed is None else fed[index])
        return rates

    @property
    def base_lrs(self) -> list[float | torch.Tensor]:
        """The base rate of every group."""
        return [rate or 0.0 for rate in self._plan.bases["lr"]]

    @base_lrs.setter
    def base_lrs(self, value: object) -> None:
        raise OptionError("the base rates are fixed when a Scheduler is built; pass base_lr=...")

    @property
    def _last_lr(self) -> list[Any]:
        """Some frameworks read it instead of calling `get_last_lr`."""
        return self.get_last_lr()

    @_last_lr.setter
    def _last_lr(self, value: object) -> None:
        raise OptionError("the rates follow from the schedule; to change them, change the schedule")

    def _update_lr(self, epoch: int | None = None) -> None:
        raise OptimizerError(LATER_MEMBER)
