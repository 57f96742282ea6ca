"""A schedule at work: sets the rates of a torch optimizer, one update at a time."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal

import torch
from torch.optim.lr_scheduler import LRScheduler

from stepwell.drive import entries, resume
from stepwell.errors import OptimizerError, OptionError, OverrunError
from stepwell.finding import Finding
from stepwell.schedule import Curve, Horizon, Schedule
from stepwell.schedule import schedule as read_schedule
from stepwell.schedule.control import plain
from stepwell.schedule.schedule import absolute_values


class Scheduler(LRScheduler):
    """Sets the rate of every parameter group to its base rate times the schedule's factor, before each update.

    Call `step()` after every `optimizer.step()`; or pass `follow=True` and call nothing: it then moves whenever the
    optimizer really stepped.

    Args:
        optimizer: its groups give the base rates (`initial_lr` where a scheduler left one, else `lr`).
        schedule: a text, the name of a recipe, or a `Schedule`.
        total_steps: optimizer updates in the run. May be left away where the schedule has no end or one of its own.
        steps_per_epoch: needed by lengths in `ep`.
        tokens_per_step: needed by lengths in `tok`.
        base_lr: replaces the base rates: one for all groups, or one per group.
        follow: listen to the optimizer instead of waiting for `step()`.
        overrun: what happens after the last step: `hold` the last value and warn once, or `raise` an OverrunError.

    Raises:
        ScheduleError, HorizonError: the schedule cannot be read, or does not fit the run.
        OptimizerError: the optimizer lacks a scheduled entry.
        OptionError: a base rate that is not positive and finite.

    Example:
        >>> weight = torch.nn.Parameter(torch.zeros(1))
        >>> optimizer = torch.optim.SGD([weight], lr=0.1)
        >>> scheduler = Scheduler(optimizer, "linear 1..0", total_steps=4)
        >>> rates = []
        >>> for _ in range(4):
        ...     rates.append(optimizer.param_groups[0]["lr"])
        ...     optimizer.step()
        ...     scheduler.step()
        >>> [round(rate, 3) for rate in rates]
        [0.1, 0.075, 0.05, 0.025]
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        schedule: str | Schedule,
        *,
        total_steps: int | None = None,
        steps_per_epoch: int | None = None,
        tokens_per_step: float | None = None,
        base_lr: float | Sequence[float] | None = None,
        follow: bool = False,
        overrun: Literal["hold", "raise"] = "hold",
    ) -> None:
        # LRScheduler.__init__ is not called: it would write rates, count a step and wrap optimizer.step.
        if not isinstance(optimizer, torch.optim.Optimizer):
            raise OptimizerError(f"a Scheduler needs a torch optimizer, got {type(optimizer).__name__}")
        if overrun not in ("hold", "raise"):
            raise OptionError(f"overrun is 'hold' or 'raise', got {overrun!r}")
        self.optimizer = optimizer
        self.schedule = read_schedule(schedule)
        self.horizon = Horizon(total_steps, steps_per_epoch, tokens_per_step)
        self.follow = follow
        self.overrun = overrun
        self.findings: list[Finding] = []
        self.last_epoch = 0  # torch's name for the number of the coming update
        self._bases = self._read_bases(_base_rates(optimizer, base_lr))
        self.base_lrs = list(self._bases["lr"])
        self._curves = self._lay()
        self._controllers = {e.name: e.controller for e in self.schedule.entries if e.controller is not None}
        self._states = {name: one.init(self._bases["lr"]) for name, one in self._controllers.items()}
        self._hook_on()
        self._write()

    # Moving

    def step(self, epoch: int | None = None) -> None:
        """Move on by one update. With `follow=True` it does nothing, since the optimizer itself is listened to."""
        if epoch is not None:
            raise OptionError("step() takes no epoch: it moves on by one update; call it after every optimizer.step()")
        if not self.follow:
            self._advance()

    def observe(self, metric: float) -> None:
        """Give a metric to the schedule's controller and apply its verdict at once.

        Raises:
            OptionError: the schedule has no feedback, or the metric is not a number.
        """
        if not self._controllers:
            raise OptionError(
                f"nothing in {str(self.schedule)!r} observes a metric; add '* plateau(x0.1, patience 10)'"
            )
        try:
            number = float(metric)
        except (TypeError, ValueError):
            raise OptionError(f"a metric is one number, got {metric!r:.60}") from None
        for name, controller in self._controllers.items():
            self._states[name] = controller.update(self._states[name], number)
        self._write()

    def _advance(self) -> None:
        total = self._curves[0].total_steps
        if total is not None and self.last_epoch >= total and self.overrun == "raise":
            raise OverrunError(
                f"the schedule ends after {total} updates and this is one more; pass the real total_steps"
            )
        self.last_epoch += 1
        if total is not None and self.last_epoch == total + 1:
            self._report_overrun(total)
        self._write()

    def _report_overrun(self, total: int) -> None:
        """The first update beyond the end: hold the last value, say so once, keep the finding."""
        rate = self.get_last_lr()[0]
        message = f"the schedule ends after {total} updates; the run goes on at the last rate, {rate:.3g}"
        self.findings.append(Finding("SW101", f"step {total}", message, (("total_steps", total), ("lr", rate))))
        warnings.warn(str(self.findings[-1]), UserWarning, stacklevel=4)

    # Values

    def get_last_lr(self) -> list[Any]:
        """The rate of every group for the coming update."""
        return [entries.read(group, "lr") for group in self.optimizer.param_groups]

    def get_lr(self) -> list[float | torch.Tensor]:
        """The same; torch's base class asks for it by this name."""
        return self.get_last_lr()

    @property
    def _last_lr(self) -> list[Any]:
        """Some frameworks read it instead of calling `get_last_lr`."""
        return self.get_last_lr()

    @_last_lr.setter
    def _last_lr(self, value: object) -> None:
        raise OptionError("the rates follow from the schedule; to change them, change the schedule")

    def _write(self) -> None:
        """Put the values of the coming update into the parameter groups."""
        for index, group in enumerate(self.optimizer.param_groups):
            curve = self._curves[index if len(self._curves) > 1 else 0]
            total = curve.total_steps
            step = self.last_epoch if total is None else min(self.last_epoch, total)
            for entry in curve.entries:
                value = self._bases[entry][index] * curve(step, entry)
                state = self._states.get(entry)
                entries.write(group, entry, value if state is None else value * state.factors[index])

    def _read_bases(self, rates: list[float]) -> dict[str, list[float]]:
        bases = {"lr": rates}
        for entry in self.schedule.entries:
            if entry.name != "lr":
                bases[entry.name] = [_base(group, entry.name) for group in self.optimizer.param_groups]
        return bases

    def _lay(self) -> list[Curve]:
        """One curve for all groups, or one per group where absolute values make them differ."""
        groups = range(
            len(self.optimizer.param_groups)
            if absolute_values(tuple(entry.expression for entry in self.schedule.entries))
            else 1
        )
        return [self.schedule.resolve(self.horizon, **self._bases_of(index)) for index in groups]

    def _bases_of(self, index: int) -> dict[str, float]:
        return {"base_lr" if name == "lr" else name: values[index] for name, values in self._bases.items()}

    # State

    def state_dict(self) -> dict[str, Any]:
        """Everything that a resume needs, as plain data: numbers, texts, lists. Loads with `weights_only=True`."""
        return {
            "version": resume.VERSION,
            "step": self.last_epoch,
            "schedule": str(self.schedule),
            "horizon": asdict(self.horizon),
            "bases": {name: list(values) for name, values in self._bases.items()},
            "controllers": {name: plain(state) for name, state in self._states.items()},
            "findings": [[f.code, f.place, f.message] for f in self.findings],
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where the state was saved, and write the rates of the coming update, whatever order things load in.

        Raises:
            ResumeError: the state is another scheduler's, of a newer version, or of another schedule, horizon or base.
        """
        resume.check(state_dict, self.state_dict())
        saved = state_dict["controllers"]
        self._states = {name: controller.restore(saved.get(name, {})) for name, controller in self._controllers.items()}
        self.last_epoch = int(state_dict["step"])
        self.findings = [Finding(*finding) for finding in state_dict["findings"]]
        self._write()

    # Hooks on the optimizer

    def _hook_on(self) -> None:
        """Write the rates again after the optimizer loads a state; with `follow`, move when it has stepped."""
        me = weakref.ref(self)

        def loaded(optimizer: torch.optim.Optimizer) -> None:
            if (scheduler := me()) is not None:
                scheduler._write()

        def stepped(optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
            scheduler = me()
            # A fused optimizer under GradScaler runs its hooks on a skipped update too.
            found_inf = getattr(optimizer, "found_inf", None)
            if scheduler is not None and not (found_inf is not None and float(found_inf) > 0):
                scheduler._advance()

        self._hooks: list[Callable[[], None]] = [self.optimizer.register_load_state_dict_post_hook(loaded).remove]
        if self.follow:
            _one_follower(self.optimizer, self)
            self._hooks.append(self.optimizer.register_step_post_hook(stepped).remove)

    def detach(self) -> None:
        """Stop listening to the optimizer; the rates stay as they are."""
        for remove in self._hooks:
            remove()
        self._hooks = []

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_hooks"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._hook_on()  # copies and pickles of an optimizer come without hooks

    def __repr__(self) -> str:
        return f"Scheduler({str(self.schedule)!r}, step={self.last_epoch}, lr={self.get_last_lr()})"


_FOLLOWERS: weakref.WeakKeyDictionary[torch.optim.Optimizer, weakref.ref[Scheduler]] = weakref.WeakKeyDictionary()


def _one_follower(optimizer: torch.optim.Optimizer, scheduler: Scheduler) -> None:
    """A second follower replaces the first: two of them would move and write in turn."""
    before = _FOLLOWERS.get(optimizer)
    other = before() if before is not None else None
    if other is not None and other is not scheduler and other._hooks:
        other.detach()
        warnings.warn("a second Scheduler follows this optimizer; it replaces the first", UserWarning, stacklevel=4)
    _FOLLOWERS[optimizer] = weakref.ref(scheduler)


def _base_rates(optimizer: torch.optim.Optimizer, given: float | Sequence[float] | None) -> list[float]:
    """The base rate of every group, kept in `initial_lr` as torch's schedulers do."""
    groups = optimizer.param_groups
    if given is None:
        rates = [float(group.get("initial_lr", group["lr"])) for group in groups]
    elif isinstance(given, int | float):
        rates = [float(given)] * len(groups)
    else:
        rates = [float(rate) for rate in given]
        if len(rates) != len(groups):
            raise OptionError(f"base_lr has {len(rates)} rates for {len(groups)} parameter groups")
    for index, rate in enumerate(rates):
        if not 0 < rate < float("inf"):
            raise OptionError(f"the base rate of parameter group {index} must be positive and finite, got {rate}")
        groups[index]["initial_lr"] = rate
    return rates


def _base(group: dict[str, Any], name: str) -> float:
    """The base value of another entry, kept beside it so that a second scheduler starts from the same."""
    value: float = group.setdefault(f"initial_{name}", entries.read(group, name))
    return value
