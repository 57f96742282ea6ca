"""The state of a Scheduler as it comes back from a file: every part is looked at before any of it is used."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Set
from typing import Any

from stepwell.drive.edit import Edit, read
from stepwell.drive.observed import named
from stepwell.errors import ResumeError, ScheduleError, StepwellError
from stepwell.schedule import Horizon, Schedule

VERSION = 1
FIELDS = ("version", "step", "schedules", "horizon", "bases", "edits", "controllers", "findings")
MOST_STEPS = 10**12  # no run is longer


def check(saved: Any) -> None:
    """Refuse what is not the state of a Stepwell Scheduler, is damaged, or comes from a newer version.

    Raises:
        ResumeError: says which, and names the part that is damaged.
    """
    if not isinstance(saved, Mapping):
        raise ResumeError(f"a state is what state_dict() returned, got {type(saved).__name__} {saved!r:.60}")
    if "schedules" not in saved or "step" not in saved:
        raise ResumeError(f"this is not a Stepwell scheduler's state; it has {sorted(map(str, saved))}")
    missing = [name for name in FIELDS if name not in saved]
    if missing:
        raise ResumeError(f"the state is incomplete: it lacks {', '.join(missing)}")
    version = saved["version"]
    if type(version) is not int or version < 1:
        raise _damaged("version", "a whole number of at least 1", version)
    if version > VERSION:
        raise ResumeError(f"the state has version {version}, newer than {VERSION}; upgrade stepwell")
    if type(saved["step"]) is not int or not 0 <= saved["step"] <= MOST_STEPS:
        raise _damaged("step", "the number of updates so far", saved["step"])
    count = len(_schedules(saved["schedules"]))
    schedules = [one for text in saved["schedules"] if (one := _readable(text)) is not None]
    _horizon("horizon", saved["horizon"])
    _bases(saved["bases"], {"lr", *(entry.name for one in schedules for entry in one.entries)}, count)
    _edits(saved["edits"])
    feedback = named(schedules)[0] if len(schedules) == count else {}
    _controllers(saved["controllers"], feedback, count)
    findings = saved["findings"]
    if not isinstance(findings, list) or not all(_is_row(one, str) and len(one) == 3 for one in findings):
        raise _damaged("findings", "a list of code, place and message", findings)


def _schedules(saved: Any) -> list[Any]:
    if not isinstance(saved, list) or not saved or not all(isinstance(one, str | Mapping) for one in saved):
        raise _damaged("schedules", "a list with a text or document for every parameter group", saved)
    return saved


def _readable(saved: Any) -> Schedule | None:
    """A saved schedule; None where only the code that made it could read it, as with a user's controller."""
    try:
        return read(saved)
    except ScheduleError:
        return None


def _horizon(part: str, saved: Any) -> None:
    if not isinstance(saved, Mapping) or set(saved) != set(Horizon.__slots__):
        raise _damaged(part, f"an object with {', '.join(Horizon.__slots__)}", saved)
    try:
        Horizon(**saved)
    except StepwellError as error:
        raise ResumeError(f"the state is damaged: {part}: {error}") from None


def _bases(saved: Any, names: Set[str], count: int) -> None:
    if not isinstance(saved, Mapping) or not names <= set(saved):
        raise _damaged("bases", f"an object with {', '.join(sorted(names))}", saved)
    for name, values in saved.items():
        numbers = [value for value in values if value is not None] if isinstance(values, list) else None
        if numbers is None or len(values) != count or not all(map(_is_base, numbers)):
            raise _damaged(f"bases.{name}", f"{count} numbers of at least 0, one per parameter group", values)
        if name == "lr" and len(numbers) < count:
            raise _damaged("bases.lr", "a rate for every parameter group", values)


def _edits(saved: Any) -> None:
    if not isinstance(saved, list):
        raise _damaged("edits", "a list", saved)
    for index, one in enumerate(saved):
        part = f"edits[{index}]"
        if not isinstance(one, Mapping) or set(one) != set(Edit.__slots__):
            raise _damaged(part, f"an object with {', '.join(Edit.__slots__)}", one)
        _horizon(f"{part}.horizon", one["horizon"])
        schedule = _readable(one["schedule"])
        names = set() if schedule is None else {entry.name for entry in schedule.entries}
        begins = one["begins"]
        if not isinstance(begins, Mapping) or not names <= set(begins) or not all(map(_is_begin, begins.values())):
            raise _damaged(f"{part}.begins", "the factors that each entry continues from", begins)
        if not all(type(one[count]) is int and one[count] >= 0 for count in ("step", "offset")):
            raise _damaged(part, "whole numbers as step and offset", [one["step"], one["offset"]])


def _controllers(saved: Any, names: Collection[str], count: int) -> None:
    if not isinstance(saved, Mapping) or not all(isinstance(one, Mapping) for one in saved.values()):
        raise _damaged("controllers", "an object with a state for every feedback", saved)
    for name in names:
        if name not in saved:
            raise _damaged("controllers", f"an object with the state of the feedback of {name}", dict(saved))
        factors = saved[name].get("factors")
        if isinstance(factors, list | tuple) and len(factors) != count:
            raise _damaged(f"controllers.{name}.factors", f"{count} factors, one per parameter group", factors)


def _is_base(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and value >= 0


def _is_begin(values: Any) -> bool:
    return isinstance(values, list | tuple) and all(value is None or _is_base(value) for value in values)


def _is_row(found: Any, kind: type) -> bool:
    return isinstance(found, list | tuple) and all(isinstance(one, kind) for one in found)


def _damaged(part: str, expected: str, found: Any) -> ResumeError:
    return ResumeError(f"the state is damaged: {part} should be {expected}, got {found!r:.60}; load an earlier one")
