"""What a Scheduler is to do, as a frozen value: schedules, run, bases and the changes made on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from stepwell.drive.edit import Edit, Kind, written
from stepwell.drive.groups import check_range
from stepwell.drive.track import Stretch, Track
from stepwell.errors import OptionError
from stepwell.schedule import Curve, Horizon, Schedule
from stepwell.schedule import schedule as read_schedule
from stepwell.schedule.length import whole_number
from stepwell.schedule.schedule import Product, Value

LOOKED_AT = 1_000_000  # updates whose momentum is checked before the first


@dataclass(frozen=True, slots=True)
class Plan:
    """One schedule per parameter group over one run.

    Args:
        schedules: one per group.
        horizon: the run as it was when it began.
        bases: entry -> the base value of each group; None where the group's schedule leaves the entry alone.
        edits: changes since then, in order.
    """

    schedules: tuple[Schedule, ...]
    horizon: Horizon
    bases: Mapping[str, tuple[float | None, ...]]
    edits: tuple[Edit, ...] = ()

    def tracks(self) -> list[Track]:
        """How every entry moves, edits included; everything that can be wrong about the plan is raised here."""
        names = dict.fromkeys(entry.name for one in self.schedules for entry in one.entries)
        return [Track(name, self.bases[name], tuple(self._stretches(name))) for name in names]

    def end(self, tracks: Sequence[Track]) -> int | None:
        """The number of updates in the run: that of the last change of plan, else that of the longest entry."""
        if self.edits and self.edits[-1].horizon.total_steps is not None:
            return self.edits[-1].offset + self.edits[-1].horizon.total_steps
        ends = [track.stretches[-1].end for track in tracks]
        known = [end for end in ends if end is not None]
        return max(known) if known and len(known) == len(ends) else None

    def plain(self) -> dict[str, Any]:
        """Numbers, texts, lists and dicts only."""
        return {
            "schedules": [written(one) for one in self.schedules],
            "horizon": asdict(self.horizon),
            "bases": {name: list(values) for name, values in self.bases.items()},
            "edits": [edit.plain() for edit in self.edits],
        }

    @classmethod
    def from_plain(cls, saved: Mapping[str, Any], schedules: Sequence[Schedule]) -> Plan:
        """The plan that `plain` wrote down; `schedules` are those that it wrote."""
        return cls(
            tuple(schedules),
            Horizon(**saved["horizon"]),
            {name: tuple(values) for name, values in saved["bases"].items()},
            tuple(Edit.from_plain(edit) for edit in saved["edits"]),
        )

    def scaled(self, ratios: Sequence[float]) -> Plan:
        """The same plan with the rate of each group multiplied: its base, or where a value is absolute its schedule."""
        rates: list[float | None] = []
        schedules: list[Schedule] = []
        for one, rate, ratio in zip(self.schedules, self.bases["lr"], ratios, strict=True):
            by_text = one.absolute and ratio != 1
            schedules.append(_multiplied(one, ratio) if by_text else one)
            rates.append(rate if by_text or rate is None else rate * ratio)
        return replace(self, schedules=tuple(schedules), bases={**self.bases, "lr": tuple(rates)})

    def joined(self, schedules: Sequence[Schedule], bases: Mapping[str, Sequence[float | None]]) -> Plan:
        """The same plan with more groups: their schedules, and their base values by entry."""
        before, after = (None,) * len(self.schedules), (None,) * len(schedules)
        names = dict.fromkeys([*self.bases, *bases])
        together = {name: (*self.bases.get(name, before), *bases.get(name, after)) for name in names}
        return replace(self, schedules=(*self.schedules, *schedules), bases=together)

    def extended(self, step: int, total_steps: int) -> Edit:
        """The change to a run of `total_steps`, under the text that rules now and from its own start."""
        total_steps = whole_steps("total_steps", total_steps)
        if total_steps <= step:
            raise OptionError(f"the run has made {step} updates already, so it cannot have {total_steps}")
        if self.edits:
            last = self.edits[-1]
            horizon = replace(last.horizon, total_steps=total_steps - last.offset)
            return Edit(step, "extend", last.schedule, horizon, last.offset, last.begins)
        if len(set(self.schedules)) > 1:
            raise OptionError("groups with schedules of their own are changed by replace(), or by a new Scheduler")
        begins = {entry.name: [1.0] * len(self.schedules) for entry in self.schedules[0].entries}
        horizon = replace(self.horizon, total_steps=total_steps)
        return Edit(step, "extend", written(_without_feedback(self.schedules[0])), horizon, 0, begins)

    def changed(self, step: int, kind: Kind, text: str | Schedule, steps: int | None, tracks: Sequence[Track]) -> Edit:
        """The change to a text whose clock begins at `step` and which continues from the factors there."""
        if steps is not None and steps < 1:
            instead = "pass a larger total_steps" if kind == "replace" else "call extend(total_steps) first"
            raise OptionError(f"nothing of the run is left after step {step}; {instead}")
        schedule = read_schedule(text)
        begins = {track.entry: track.factors(step) for track in tracks}
        if any(entry.name not in begins or entry.controller is not None for entry in schedule.entries):
            raise OptionError(f"a change of plan drives what was driven before, without new feedback; got {text!r}")
        return Edit(step, kind, written(schedule), replace(self.horizon, total_steps=steps), step, begins)

    def _stretches(self, name: str) -> list[Stretch]:
        curves: list[Curve | None] = []
        shared: dict[Any, Curve] = {}
        for index, one in enumerate(self.schedules):
            if name not in [entry.name for entry in one.entries]:
                curves.append(None)
                continue
            bases: dict[str, Any] = self._bases_of(index) if one.absolute else {}
            key = (one, tuple(bases.items()))
            if key not in shared:
                shared[key] = one.resolve(self.horizon, **bases)
                self._check_range(name, index, shared[key])
            curves.append(shared[key])
        bases_of = [self._bases_of(index) for index in range(len(curves))]
        stretches = [Stretch(0, 0, tuple(curves))]
        begins: list[float | None] = [None if curve is None else 1.0 for curve in curves]
        for edit in self.edits:
            if edit.kind != "extend":  # which goes on with what the text before it began from
                begins = Track(name, self.bases[name], tuple(stretches)).factors(edit.step)
            if (stretch := edit.stretch(name, bases_of, begins)) is not None:
                stretches.append(stretch)
                self._check_stretch(name, stretch, [*edit.begins[name], *begins[len(edit.begins[name]) :]])
        return stretches

    def _check_stretch(self, name: str, stretch: Stretch, begins: Sequence[float | None]) -> None:
        """Look at one of all groups that go alike."""
        alike = {(begin, base): index for index, (begin, base) in enumerate(zip(begins, self.bases[name], strict=True))}
        for index in alike.values():
            curve = stretch.curves[index]
            if curve is not None:
                self._check_range(name, index, curve)

    def _check_range(self, name: str, index: int, curve: Curve) -> None:
        if name != "lr":
            values = curve(range(min(curve.total_steps or LOOKED_AT, LOOKED_AT)), name) * (self.bases[name][index] or 0)
            check_range(name, index, float(values.min()), float(values.max()))

    def _bases_of(self, index: int) -> dict[str, float]:
        """The base values of one group, as `Schedule.resolve` takes them."""
        known = ((name, values[index]) for name, values in self.bases.items())
        return {"base_lr" if name == "lr" else name: value for name, value in known if value is not None}


def whole_steps(name: str, value: object) -> int:
    """A number of updates of at least 1.

    Raises:
        OptionError: anything else.
    """
    whole = whole_number(value)
    if whole is None or whole < 1:
        raise OptionError(f"{name} is a whole number of updates of at least 1, got {value!r:.60}")
    return whole


def _multiplied(schedule: Schedule, ratio: float) -> Schedule:
    """The schedule with its rate multiplied, absolute values too."""
    entries = [
        replace(entry, expression=Product((Value(ratio), entry.expression))) if entry.name == "lr" else entry
        for entry in schedule.entries
    ]
    return Schedule(tuple(entries))


def _without_feedback(schedule: Schedule) -> Schedule:
    """What a change of plan is written as; feedback goes on whatever the plan, and a user's own has no text to read."""
    return Schedule(tuple(replace(entry, controller=None) for entry in schedule.entries))
