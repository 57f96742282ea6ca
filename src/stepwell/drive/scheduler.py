"""A schedule at work: sets the rates of a torch optimizer, one update at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from torch.optim import Optimizer

from stepwell.drive import entries, notice, resume
from stepwell.drive.as_torch import AsTorch
from stepwell.drive.edit import Edit, Kind
from stepwell.drive.follow import attach, refuse_torch, release
from stepwell.drive.groups import WRITTEN, Wanted, base_rates, check_moved, check_there, choose, late_rates, other_bases
from stepwell.drive.observed import Observed, number_of
from stepwell.drive.plan import Plan, whole_steps
from stepwell.drive.track import Track
from stepwell.errors import OptimizerError, OptionError, OverrunError, ResumeError
from stepwell.finding import Finding
from stepwell.schedule import Horizon, Schedule
from stepwell.schedule import schedule as read_schedule
from stepwell.schedule.schedule import Value


class Scheduler(AsTorch):
    """Sets the rate of every parameter group to its base rate times the schedule's factor, before each update.

    Call `step()` after every `optimizer.step()`; or pass `follow=True` and call nothing: it then moves whenever the
    optimizer really stepped. A group that is added later joins with its own `lr` as base rate at the next step; call
    `write()` after adding it, so that its first update has the rate of the schedule too.

    Args:
        optimizer: its groups give the base rates (`initial_lr` where a scheduler left one, else `lr`).
        schedule: a text, the name of a recipe, a `Schedule`, or a controller, which holds; or a mapping from a group's
            index or `name` to one of these, with `*` for the others.
        total_steps: optimizer updates in the run. May be left away where the schedule has no end or one of its own.
        steps_per_epoch: needed by lengths in `ep`.
        tokens_per_step: needed by lengths in `tok`.
        base_lr: replaces the base rates: one for all groups, or one per group.
        follow: listen to the optimizer instead of waiting for `step()`.
        overrun: what happens after the last step: `hold` the last value and warn once, or `raise` an OverrunError.
        on_change: what happens when a state of another plan is loaded: `raise`, or `keep` the saved plan, `switch` to
            this one, or `rescale` this one so that the rate goes on without a jump.

    `findings` are those that only a run at work shows, SW101 and SW110, and they are saved with it. What a schedule
    shows before the run, as `stepwell plot` prints it, is `schedule.resolve(horizon, base_lr=...).preflight()`.

    Raises:
        ScheduleError, HorizonError: the schedule cannot be read, or does not fit the run.
        OptimizerError: the optimizer lacks a scheduled entry, has another scheduler, or a stale `initial_lr`.
        OptionError: a base rate that is not positive and finite, or an unknown group.

    Example:
        >>> import torch
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

    def __init__(  # noqa: PLR0913 -- two parameters, and options by keyword
        self,
        optimizer: Optimizer,
        schedule: Wanted,
        *,
        total_steps: int | None = None,
        steps_per_epoch: int | None = None,
        tokens_per_step: float | None = None,
        base_lr: float | Sequence[float] | None = None,
        follow: bool = False,
        overrun: Literal["hold", "raise"] = "hold",
        on_change: resume.OnChange = "raise",
    ) -> None:
        # LRScheduler.__init__ is not called: it would write rates, count a step and wrap optimizer.step.
        if not isinstance(optimizer, Optimizer):
            raise OptimizerError(f"a Scheduler needs a torch optimizer, got {type(optimizer).__name__}")
        if overrun not in ("hold", "raise"):
            raise OptionError(f"overrun is 'hold' or 'raise', got {overrun!r}")
        if on_change not in resume.ON_CHANGE:
            raise OptionError(f"on_change is one of {', '.join(resume.ON_CHANGE)}, got {on_change!r}")
        refuse_torch(optimizer)
        self.optimizer = optimizer
        self.follow, self.overrun, self.on_change = follow, overrun, on_change
        self.findings: list[Finding] = []
        self._now = 0
        self._wanted = dict(schedule) if isinstance(schedule, Mapping) else schedule
        groups = optimizer.param_groups
        schedules = choose(schedule, groups)
        rates: tuple[float | None, ...] = tuple(base_rates(optimizer, base_lr))
        bases = {"lr": rates, **other_bases(schedules, groups)}
        self._observed = Observed.nothing()
        self._follow_plan(Plan(schedules, Horizon(total_steps, steps_per_epoch, tokens_per_step), bases))
        check_moved(bases)
        self._hooks: list[Callable[[], None]] = attach(self)
        self.write()

    @property
    def schedule(self) -> Schedule:
        """The schedule of the first parameter group, as it was when the run began."""
        return self._plan.schedules[0]

    @property
    def horizon(self) -> Horizon:
        """The run as it was when it began."""
        return self._plan.horizon

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The changes of plan so far."""
        return self._plan.edits

    @property
    def total_steps(self) -> int | None:
        """Updates in the run as it is planned now; None for a run without end."""
        return self._end

    # Moving

    def step(self, epoch: int | None = None, *, metrics: float | None = None) -> None:
        """Move on by one update. With `follow=True` it does nothing, since the optimizer itself is listened to.

        It takes neither an epoch nor the metric of torch's ReduceLROnPlateau, which goes to `observe`.
        """
        if epoch is not None or metrics is not None:
            raise notice.no_argument(metric=metrics is not None or bool(self._observed.controllers))
        if not self.follow:
            self.advance()

    def advance(self) -> None:
        """Move on by one update, whoever asks; `step` and the hook of a follower call it."""
        if self._end is not None and self._now >= self._end:
            self._overrun(self._end)
        first = self.optimizer.param_groups[0]
        if first["lr"] is not first.get(WRITTEN):
            self._overwritten()
        self._now += 1
        self.write()

    def observe(self, metric: float) -> None:
        """Give a metric to the schedule's feedback and apply its verdict at once.

        Raises:
            OptionError: the schedule has no feedback, or the metric is not a number.
        """
        if not self._observed.controllers:
            raise OptionError(
                f"nothing in {str(self.schedule)!r} observes a metric; add '* plateau(x0.1, patience 10)'"
            )
        self._observed = self._observed.told(number_of(metric))
        self.write()

    def _overrun(self, total: int) -> None:
        """An update beyond the end: refuse it, or hold the last value, say so once and keep the finding."""
        if self.overrun == "raise":
            raise OverrunError(
                f"the schedule ends after {total} updates and this is one more; pass the real total_steps"
            )
        if self._now == total:
            self.findings.append(notice.overrun(total, self._rates()[0]))

    def _overwritten(self) -> None:
        """Somebody else may have written the rate: say so once."""
        known = any(finding.code == "SW110" for finding in self.findings)
        if not known and (finding := notice.overwritten(self.optimizer, self._now)) is not None:
            self.findings.append(finding)

    # Values

    def write(self) -> None:
        """Put the values of the coming update into the parameter groups."""
        groups, t = self.optimizer.param_groups, self._now
        if len(groups) != self._num_groups:
            self._join()
        for track, ahead in self._tracks:
            if ahead is None:
                self._write_each(track)
                continue
            # The usual case, at a cost that a training loop does not notice: one curve for the rates of all groups.
            place = t - ahead.first
            factor = ahead.values[place] if 0 <= place < len(ahead.values) else ahead.read(max(t, 0))
            for group, base in zip(groups, track.bases):  # noqa: B905 -- as many, seen above; strict costs a third of a step
                if type(group["lr"]) is float:
                    group["lr"] = group[WRITTEN] = base * factor  # type: ignore[operator]  # a shared curve has all bases
                else:
                    entries.write(group, "lr", base * factor)  # type: ignore[operator]  # the same

    def _write_each(self, track: Track) -> None:
        fed = self._observed.factors(track.entry)
        factors = track.factors(max(self._now, 0))  # below 0 as a member of torch's SequentialLR
        groups = self.optimizer.param_groups
        for index, (group, base, factor) in enumerate(zip(groups, track.bases, factors, strict=True)):
            if base is not None and factor is not None:
                value = base * factor
                entries.write(group, track.entry, value if fed is None else value * fed[index])

    def _follow_plan(self, plan: Plan) -> None:
        """Take a plan, with feedback from its start where there was none yet; a plan that cannot be changes nothing."""
        tracks = plan.tracks()
        observed = self._observed.following(plan.schedules, plan.bases["lr"])
        self._plan, self._num_groups, self._observed = plan, len(plan.schedules), observed
        self._end = plan.end(tracks)
        fed = observed.keys
        self._tracks = [(track, track.shared if track.entry == "lr" and "lr" not in fed else None) for track in tracks]

    def _join(self) -> None:
        """Take in parameter groups that were added since it was last looked."""
        groups, plan = self.optimizer.param_groups, self._plan
        known = len(plan.schedules)
        if len(groups) == known:
            return
        if len(groups) < known:
            raise OptimizerError(f"the optimizer had {known} parameter groups and has {len(groups)} now")
        chosen = choose(self._wanted, groups)
        if chosen[:known] != plan.schedules:  # it was kept or rescaled on a resume: late groups go with the last one
            chosen = (*plan.schedules, *plan.schedules[-1:] * (len(groups) - known))
        late = other_bases(chosen[known:], groups[known:])
        late["lr"] = late_rates(self.optimizer, known)
        self._follow_plan(plan.joined(chosen[known:], late))

    # Changes of plan

    def extend(self, total_steps: int) -> Edit:
        """Make the run longer (or shorter): the plan that rules now, laid over `total_steps` from here on."""
        return self._edit(self._plan.extended(self._now, total_steps))

    def cool_down(self, steps: int, *, to: float = 0.0, shape: str = "1-sqrt") -> Edit:
        """End the run in `steps` updates from here, going from the present factor down to `to`."""
        return self._from_here("cool down", f"{shape} to {Value(to)}", whole_steps("steps", steps))

    def rewarm(self, steps: int, *, to: float = 1.0) -> Edit:
        """Go to the factor `to` within `steps` updates and stay there for the rest of the run."""
        rest = None if self._end is None else self._end - self._now
        return self._from_here("re-warm", f"linear to {Value(to)} over {whole_steps('steps', steps)}", rest)

    def replace(self, schedule: str | Schedule, *, total_steps: int | None = None) -> Edit:
        """Follow another schedule from here on, until `total_steps` (the present end unless given)."""
        end = self._end if total_steps is None else whole_steps("total_steps", total_steps)
        return self._from_here("replace", read_schedule(schedule), None if end is None else end - self._now)

    def _from_here(self, kind: Kind, text: str | Schedule, steps: int | None) -> Edit:
        return self._edit(self._plan.changed(self._now, kind, text, steps, [track for track, _ in self._tracks]))

    def _edit(self, edit: Edit) -> Edit:
        """Follow a change of plan and log the rates before and after it."""
        before, plan = self._rates(), self._plan
        self._follow_plan(replace(plan, edits=(*plan.edits, edit)))
        self.write()
        edit = replace(edit, before=before, after=self._rates())
        self._plan = replace(plan, edits=(*plan.edits, edit))
        return edit

    def _rates(self) -> list[float]:
        return [float(rate) for rate in self.get_last_lr()]

    # State

    def state_dict(self) -> dict[str, Any]:
        """Everything that a resume needs, as plain data: numbers, texts, lists. Loads with `weights_only=True`."""
        self._join()
        return {
            "version": resume.VERSION,
            "step": self._now,
            **self._plan.plain(),
            "controllers": self._observed.plain(),
            "findings": [[f.code, f.place, f.message] for f in self.findings],
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on where the state was saved, and write the rates of the coming update, whatever order things load in.

        Raises:
            ResumeError: the state is another scheduler's, of a newer version, or, with `on_change="raise"`, of another
                schedule, horizon or base rate.
            OptimizerError: it drives an entry that this optimizer lacks.
        """
        resume.check(state_dict)
        self._join()
        saved, now = len(state_dict["schedules"]), len(self._plan.schedules)
        if saved != now:
            raise ResumeError(
                f"the saved run has {saved} parameter groups, this one {now}; build the same groups first"
            )
        plan, observed = resume.reconciled(state_dict, self._plan, self.on_change)
        check_there(plan.bases, self.optimizer.param_groups)
        self._observed = observed
        driven = [track for track, _ in self._tracks]
        self._follow_plan(plan)  # it was laid when it was reconciled, so it fits
        for track in driven:  # what the new plan leaves alone goes back to what it was
            entries.give_back(self.optimizer.param_groups, track.entry, track.bases)
        self._now = int(state_dict["step"])
        self.findings = [Finding(*finding) for finding in state_dict["findings"]]
        for group, rate in zip(self.optimizer.param_groups, plan.bases["lr"], strict=True):
            group["initial_lr"] = rate
        self.write()

    def detach(self) -> None:
        """Stop listening to the optimizer; the rates stay as they are."""
        for remove in self._hooks:
            remove()
        self._hooks = []
        release(self)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_hooks", "_tracks")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._follow_plan(self._plan)
        self._hooks = attach(self)  # copies and pickles of an optimizer come without hooks

    def __repr__(self) -> str:
        return f"Scheduler({str(self.schedule)!r}, step={self._now}, lr={self.get_last_lr()})"
