"""What the feedback of the schedules has made of the metrics so far: one state per controller, a factor per group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stepwell.errors import OptionError
from stepwell.schedule import Controller, Schedule
from stepwell.schedule.control.controller import plain
from stepwell.schedule.length import plain_number


@dataclass(frozen=True, slots=True)
class Observed:
    """The controllers of all parameter groups. Groups whose schedules have the same one on an entry share its state.

    Args:
        controllers: by key: the name of their entry, and of the first of their groups where an entry has several.
        keys: entry -> the key of each group; None where the group's schedule has no feedback.
        states: by key.
    """

    controllers: Mapping[str, Controller]
    keys: Mapping[str, tuple[str | None, ...]]
    states: Mapping[str, Any]

    @classmethod
    def nothing(cls) -> Observed:
        """Before there is any schedule."""
        return cls({}, {}, {})

    def following(self, schedules: Sequence[Schedule], base_lrs: Sequence[float | None]) -> Observed:
        """The same for these schedules, one per group: what is known goes on, what is new starts from its beginning."""
        controllers, keys = named(schedules)
        states = dict(self.states)
        for key, controller in controllers.items():
            if key not in states:
                states[key] = controller.init([rate or 0.0 for rate in base_lrs])
            late = len(schedules) - len(states[key].factors)
            if late > 0:  # groups that were added: they get the latest factor
                factors = (*states[key].factors, *states[key].factors[-1:] * late)
                states[key] = replace(states[key], factors=factors)
        return Observed(controllers, keys, {key: states[key] for key in controllers})

    def told(self, metric: float) -> Observed:
        """After one more metric."""
        states = {key: one.update(self.states[key], metric) for key, one in self.controllers.items()}
        return replace(self, states=states)

    def factors(self, entry: str) -> Sequence[float] | None:
        """What the entry is multiplied by in each group; None where no group has feedback on it."""
        keys = self.keys.get(entry)
        if keys is None:
            return None
        return [1.0 if key is None else self.states[key].factors[index] for index, key in enumerate(keys)]

    def restored(self, saved: Mapping[str, Any], known: Mapping[str, Controller]) -> Observed:
        """With the saved states of the controllers that are of the kind that was saved, `known`; others start anew.

        Raises:
            ResumeError: a damaged state.
        """
        states = {
            key: one.restore(saved[key])
            for key, one in self.controllers.items()
            if key in saved and type(known.get(key)) is type(one)
        }
        return replace(self, states={**self.states, **states})

    def plain(self) -> dict[str, Any]:
        """Numbers, texts, lists and dicts only."""
        return {key: plain(state) for key, state in self.states.items()}


def number_of(metric: Any) -> float:
    """A metric as a float, whatever numeric type it came in.

    Raises:
        OptionError: it is no number, or several.
    """
    number = plain_number(metric)
    if number is None:
        raise OptionError(f"a metric is one number, got {metric!r:.60}")
    return number


def named(schedules: Sequence[Schedule]) -> tuple[dict[str, Controller], dict[str, tuple[str | None, ...]]]:
    """The different controllers of the groups by key, and for each entry that has any the key of every group."""
    controllers: dict[str, Controller] = {}
    keys: dict[str, list[str | None]] = {}
    for index, one in enumerate(schedules):
        for entry in one.entries:
            if entry.controller is None:
                continue
            of_entry = keys.setdefault(entry.name, [None] * len(schedules))
            alike = [key for key in of_entry if key is not None and controllers[key] == entry.controller]
            key = entry.name if not any(of_entry) else f"{entry.name} of group {index}"
            of_entry[index] = alike[0] if alike else key
            controllers.setdefault(alike[0] if alike else key, entry.controller)
    return controllers, {entry: tuple(of_entry) for entry, of_entry in keys.items()}
