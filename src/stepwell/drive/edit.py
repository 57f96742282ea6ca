"""Changes of plan while a run goes on, as plain data: they live in the state, so that a resume replays them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any, Literal

from stepwell.drive.track import Stretch
from stepwell.schedule import Horizon, Schedule, parse
from stepwell.schedule.table import MOST_WRITTEN, Values

Kind = Literal["extend", "cool down", "re-warm", "replace"]


def written(schedule: Schedule) -> str | dict[str, Any]:
    """The schedule's text; its JSON form where a table is too long for a text."""
    return schedule.to_json() if any(map(_long, _nodes(schedule))) else str(schedule)


def read(saved: str | Mapping[str, Any]) -> Schedule:
    """The schedule that `written` wrote down."""
    return parse(saved) if isinstance(saved, str) else Schedule.from_json(saved)


def _long(node: object) -> bool:
    return isinstance(node, Values) and len(node) > MOST_WRITTEN


def _nodes(node: object) -> Iterator[object]:
    """The node and everything inside it."""
    yield node
    inside = node if isinstance(node, tuple) else ()
    if is_dataclass(node) and not isinstance(node, type):
        inside = tuple(getattr(node, field.name) for field in fields(node))
    for member in inside:
        yield from _nodes(member)


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of plan.

    Args:
        step: the first update that it rules.
        kind: what was asked for.
        schedule: what rules from then on, as `written`.
        horizon: of that text, counted from `offset`.
        offset: the update at which the text's own clock begins: that of the old plan for an extended run, else `step`.
        begins: entry -> the factor of each group that the text continues from; None where it is left alone.
        before, after: the rates of all groups for update `step` under the old plan and the new.
    """

    step: int
    kind: Kind
    schedule: str | Mapping[str, Any]
    horizon: Horizon
    offset: int
    begins: Mapping[str, Sequence[float | None]]
    before: Sequence[float] = ()
    after: Sequence[float] = ()

    def stretch(self, entry: str, bases: Sequence[Mapping[str, float]], late: Sequence[float | None]) -> Stretch | None:
        """The stretch that the change makes of one entry, or None where it leaves the entry alone.

        Args:
            entry: its name.
            bases: the base values of each group by name, as `Schedule.resolve` takes them.
            late: the factors that groups continue from which were added after the change; one per group.
        """
        schedule = read(self.schedule)
        if entry not in [one.name for one in schedule.entries]:
            return None
        begins = [*self.begins[entry], *late[len(self.begins[entry]) :]]
        curves = tuple(
            None if begin is None else schedule.continued(self.horizon, {entry: begin}, **of_group)
            for begin, of_group in zip(begins, bases, strict=True)
        )
        return Stretch(self.step, self.offset, curves)

    def plain(self) -> dict[str, Any]:
        """Numbers, texts, lists and dicts only."""
        listed = {"before": list(self.before), "after": list(self.after)}
        schedule = self.schedule if isinstance(self.schedule, str) else dict(self.schedule)
        begins = {entry: list(some) for entry, some in self.begins.items()}
        return {**asdict(self), **listed, "schedule": schedule, "begins": begins}

    @classmethod
    def from_plain(cls, saved: Mapping[str, Any]) -> Edit:
        """The change that `plain` wrote down."""
        return cls(**{**saved, "horizon": Horizon(**saved["horizon"])})

    def __str__(self) -> str:
        before, after = (", ".join(f"{rate:.4g}" for rate in rates) for rates in (self.before, self.after))
        return f"step {self.step}: {self.kind}: {read(self.schedule)} (rate {before} -> {after})"
